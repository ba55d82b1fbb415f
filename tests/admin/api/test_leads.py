"""Leads: their team and nothing beside it, whichever way they try."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest


class Teams(NamedTuple):
    """Two teams, each with an app, a key and budgets, and a lead of the first.

    Attributes:
        admin: A client of the first admin.
        lead: A client of the lead of team web.
        own: Id of a key of web/shop.
        other: Id of a key of rival/forge.
    """

    admin: httpx.Client
    lead: httpx.Client
    own: str
    other: str


@pytest.fixture
def teams(client: httpx.Client, served: Any) -> Iterator[Teams]:
    """See `Teams`."""
    ids = []
    for team, app in (("web", "shop"), ("rival", "forge")):
        client.post("/teams", json={"name": team, "limits": {"generations_at_once": 5}})
        client.post(f"/teams/{team}/apps", json={"name": app})
        made = client.post("/keys", json={"team": team, "app": app, "name": f"of {team}"}).json()
        ids.append(made["record"]["id"])
        for account in (f"team:{team}", f"app:{team}:{app}", f"key:{ids[-1]}"):
            reply = client.put(f"/budgets/{account}/day", json={"limit_usd": "5"})
            assert reply.status_code == 200, reply.text
    client.put("/budgets/organisation:main/day", json={"limit_usd": "50"})
    key = client.post("/operators", json={"role": "lead", "name": "lea", "team": "web"}).json()
    with served.client(key["key"]) as lead:
        yield Teams(client, lead, *ids)


def test_a_lead_makes_changes_rotates_and_revokes_keys_of_the_team(teams: Teams) -> None:
    made = teams.lead.post("/keys", json={"team": "web", "app": "shop"})
    assert made.status_code == 201
    path = f"/keys/{made.json()['record']['id']}"

    assert teams.lead.patch(path, json={"name": "new"}).json()["name"] == "new"
    assert teams.lead.post(f"{path}/rotate", json={}).status_code == 200
    assert teams.lead.post(f"{path}/revoke").json()["state"] == "revoked"
    assert teams.admin.get("/audit").json()["items"][0]["who"] == "lead:lea"


def test_lists_are_of_the_team(teams: Teams) -> None:
    for path in ("/teams", "/apps", "/keys", "/limits", "/budgets", "/teams/web/apps"):
        found = teams.lead.get(path)
        assert found.status_code == 200, found.text
        assert found.json()["items"]
        assert "rival" not in found.text
        assert teams.other not in found.text
        assert "organisation" not in found.text
    names = [each["account"] for each in teams.lead.get("/budgets").json()["items"]]
    assert names == ["team:web", "app:web/shop", f"key:{teams.own}"]


def test_the_teams_own_budget_is_seen_and_those_below_it_are_set(teams: Teams) -> None:
    assert teams.lead.get("/budgets/team:web/day").json()["budget"]["limit_usd"] == "5.00"
    assert teams.lead.get("/accounts/team:web").status_code == 200
    for account in ("app:web:shop", f"key:{teams.own}"):
        path = f"/budgets/{account}/day"
        assert teams.lead.put(path, json={"limit_usd": "7"}).status_code == 200
        assert teams.lead.post(f"{path}/raise", json={"amount_usd": "1"}).status_code == 200
        assert teams.lead.delete(path).status_code == 204
        body = {"account": account.replace("app:web:", "app:web/"), "window": "day"}
        assert teams.lead.post("/budgets", json={**body, "limit_usd": "2"}).status_code == 201

    refused: list[tuple[str, str, Any]] = [
        ("PUT", "/budgets/team:web/day", {"limit_usd": "9"}),
        ("POST", "/budgets/team:web/day/raise", {"amount_usd": "9"}),
        ("DELETE", "/budgets/team:web/day", None),
        ("POST", "/budgets", {"account": "team:web", "window": "week", "limit_usd": "9"}),
        ("POST", "/budgets/app:web:shop/day/reset", {}),
    ]
    for method, path, given in refused:
        assert teams.lead.request(method, path, json=given).status_code == 403, path


@pytest.mark.parametrize("kind", ["app", "key"])
def test_limits_below_the_team_are_set_up_to_its_own(kind: str, teams: Teams) -> None:
    account = "app:web:shop" if kind == "app" else f"key:{teams.own}"

    done = teams.lead.patch(
        f"/limits/{account}", json={"generations_at_once": 5, "requests_per_second": 99}
    )
    refused = teams.lead.patch(f"/limits/{account}", json={"generations_at_once": 6})

    assert done.status_code == 200, done.text
    assert refused.status_code == 400
    assert refused.json()["detail"] == (
        "generations_at_once: a lead sets up to 5, the limit of team web, not 6"
    )
    assert teams.lead.get(f"/limits/{account}").json()["generations_at_once"] == 5
    assert teams.lead.patch(f"/limits/{account}", json={"generations_at_once": 0}).is_success
    assert teams.admin.patch(f"/limits/{account}", json={"generations_at_once": 6}).is_success


def test_a_key_gets_no_limit_above_the_teams_either(teams: Teams) -> None:
    body = {"team": "web", "app": "shop", "limits": {"generations_at_once": 6}}

    assert teams.lead.post("/keys", json=body).status_code == 400
    changed = teams.lead.patch(
        f"/keys/{teams.own}", json={"limits": {"generations_at_once": 1_000}}
    )
    assert changed.status_code == 400
    assert teams.lead.patch("/limits/team:web", json={"weight": 9}).status_code == 403
    assert teams.lead.patch("/limits/app:web:shop", json={"weight": 9}).status_code == 400


SIDEWAYS: list[tuple[str, str, Any]] = [
    ("POST", "/keys", {"team": "rival", "app": "forge"}),
    ("POST", "/operators", {"role": "admin", "name": "x"}),
    ("POST", "/operators", {"role": "lead", "name": "x", "team": "web"}),
    ("GET", "/operators", None),
    ("PATCH", "/teams/web", {"weight": 9}),
    ("POST", "/teams", {"name": "mine"}),
    ("DELETE", "/teams/web", None),
    ("POST", "/teams/web/apps", {"name": "mine"}),
    ("DELETE", "/teams/web/apps/shop", None),
    ("PATCH", "/teams/web/apps/shop", {"aliases": {"rival/x": "openai/gpt-image-2"}}),
    ("PATCH", "/teams/rival/apps/forge", {"limits": {}}),
    ("GET", "/teams/rival", None),
    ("GET", "/teams/rival/apps", None),
    ("GET", "/teams/rival/apps/forge", None),
    ("GET", "/teams/nobody", None),
    ("PUT", "/aliases/x", {"target": "openai/gpt-image-2"}),
    ("PATCH", "/models/openai:gpt-image-2", {"successor": "openai/gpt-image-2"}),
    ("GET", "/config", None),
    ("POST", "/config/plan", {"file": ""}),
    ("POST", "/config/apply", {"file": "[team.rival]\nweight = 9\n"}),
    ("GET", "/audit", None),
    ("GET", "/accounts", None),
    ("GET", "/accounts/organisation:main", None),
    ("GET", "/overage", None),
    ("PUT", "/overage", {"limit_usd": "9"}),
    ("PUT", "/stops/team:web", {}),
    ("DELETE", "/stops/app:web:shop", None),
    ("GET", "/deliveries", None),
    ("PUT", "/budgets/organisation/day", {"limit_usd": "9"}),
    ("PUT", "/budgets/model:openai:gpt-image-2/day", {"limit_usd": "9"}),
    ("PATCH", "/limits/model:openai:gpt-image-2", {"generations_at_once": 1}),
    ("PUT", "/budgets/app:rival:forge/day", {"limit_usd": "9"}),
    ("PUT", "/budgets/app:rival:forge/day?books=test", {"limit_usd": "9"}),
    ("PUT", "/budgets/key:unknown/day", {"limit_usd": "9"}),
    ("GET", "/budgets/app:rival:forge/day?books=test", None),
    ("GET", "/budgets/team:rival/day", None),
    ("GET", "/accounts/team:rival", None),
    ("GET", "/limits/team:rival", None),
    ("GET", "/keys?of=rival", None),
    ("GET", "/keys?of=rival/forge", None),
    ("GET", "/keys?of=webb", None),
    ("GET", "/keys?of=we", None),
    ("GET", "/usage?team=rival", None),
    ("GET", "/usage.csv?team=rival", None),
    ("GET", "/ledger?team=rival", None),
    ("GET", "/ledger?team=rival/forge", None),
    ("GET", "/ledger?team=web/shop", None),  # a team stands there
    ("GET", "/activity?team=web/shop", None),
    ("GET", "/jobs?team=web/shop", None),
    ("GET", "/jobs?team=rival", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SIDEWAYS)
def test_nothing_sideways_opens(method: str, path: str, body: Any, teams: Teams) -> None:
    before = teams.admin.get("/audit").text

    refused = teams.lead.request(method, path, json=body)

    assert refused.status_code == 403, refused.text
    assert "ask an admin" in refused.json()["detail"]
    assert teams.admin.get("/audit").text == before


def test_another_teams_key_is_neither_seen_nor_touched(teams: Teams) -> None:
    path = f"/keys/{teams.other}"
    for method, each, body in (
        ("GET", path, None),
        ("PATCH", path, {"name": "mine"}),
        ("POST", f"{path}/rotate", {}),
        ("POST", f"{path}/revoke", None),
        ("GET", f"/limits/key:{teams.other}", None),
        ("PATCH", f"/limits/key:{teams.other}", {"requests_per_second": 1}),
        ("PUT", f"/budgets/key:{teams.other}/day", {"limit_usd": "9"}),
        ("DELETE", f"/budgets/key:{teams.other}/day", None),
        ("GET", f"/accounts/key:{teams.other}", None),
    ):
        assert teams.lead.request(method, each, json=body).status_code == 403, each


def test_a_key_does_not_move_and_a_name_with_a_slash_is_no_other_app(teams: Teams) -> None:
    path = f"/keys/{teams.own}"
    for body in ({"team": "rival"}, {"app": "forge"}, {"id": teams.other}):
        assert teams.lead.patch(path, json=body).status_code == 400
    for app in ("../rival/forge", "shop/../../rival", "forge"):
        made = teams.lead.post("/keys", json={"team": "web", "app": app})
        assert made.status_code in {400, 404}
    for name in ("web%2F..%2Frival", "rival%2Fforge", "web/apps/..%2F..%2Frival"):
        assert teams.lead.get(f"/teams/{name}").status_code in {403, 404}
    assert teams.lead.get("/keys", params={"of": "web/"}).json()["items"] == []
    assert teams.lead.get("/keys", params={"of": "web/forge"}).json()["items"] == []


def test_a_cursor_of_another_teams_list_leads_nowhere_else(teams: Teams) -> None:
    cursor = teams.admin.get("/keys", params={"limit": 1}).json()["next_cursor"]
    assert cursor

    for place in (cursor, "0", "000000000000-x"):
        found = teams.lead.get("/keys", params={"cursor": place})
        assert teams.other not in found.text
    found = teams.lead.get("/budgets", params={"cursor": "key:"})
    assert "rival" not in found.text
    assert teams.other not in found.text


def test_a_lead_sees_stops_of_the_team_and_of_everybody(teams: Teams) -> None:
    for subject in ("team:rival", "app:web:shop", "organisation:main", "app:rival:forge"):
        assert teams.admin.put(f"/stops/{subject}", json={}).is_success

    found = [each["subject"] for each in teams.lead.get("/stops").json()["items"]]

    assert found == ["organisation:main", "app:web/shop"]


def test_a_lead_asks_as_itself_whatever_it_says(teams: Teams) -> None:
    for headers in ({"X-Falgate-Actor": "admin"}, {"X-Falgate-Operator": "admin"}):
        made = teams.lead.post("/keys", json={"team": "web", "app": "shop"}, headers=headers)
        assert made.status_code == 201
        assert teams.admin.get("/audit").json()["items"][0]["who"].startswith("lead:lea")

"""One call makes all that an app needs, or says what of it was made."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis

from falgate.accounts.operator import Operator

ASKED: dict[str, Any] = {
    "team": "web",
    "app": "shop",
    "key": {
        "name": "storefront",
        "permissions": {"qualities": ["low"]},
        "limits": {"requests_per_second": 5},
    },
    "budgets": [
        {"of": "team", "window": "month", "limit_usd": "100", "alerts": [80]},
        {"of": "app", "window": "day", "limit_usd": "20"},
        {"of": "key", "window": "day", "limit_usd": "5"},
    ],
}

ADMIN = Operator(who="admin", role="admin")
LEAD = Operator(who="lead:ann", role="lead", team="web")
VIEWER = Operator(who="viewer:bob", role="viewer")


def audited(client: httpx.Client) -> list[str]:
    """What the audit log has, oldest first."""
    return [each["action"] for each in reversed(client.get("/audit").json()["items"])]


def test_everything_is_made_and_the_key_is_told_once(client: httpx.Client) -> None:
    done = client.post("/setup", json=ASKED)

    assert done.status_code == 201, done.text
    told = done.json()
    name = told["record"]["id"]
    assert told["key"].startswith("fg_live_")
    assert told["record"]["state"] == "usable"
    assert told["record"]["limits"]["requests_per_second"] == 5
    assert told["record"]["permissions"]["qualities"] == ["low"]
    assert told["there"] == []
    assert told["made"] == [
        "team web",
        "app web/shop",
        "month budget of team web",
        "day budget of app web/shop",
        f"key {name}",
        f"day budget of key {name}",
    ]
    limits = {each["account"]: each for each in client.get("/budgets").json()["items"]}
    assert limits[f"key:{name}"]["remaining_usd"] == "5.00"
    assert limits["team:web"]["budget"]["alerts"] == [80]
    assert audited(client) == ["team", "app", "budget", "budget", "key", "budget", "key"]


def test_what_is_there_stays_and_is_told(client: httpx.Client) -> None:
    client.post("/setup", json=ASKED).raise_for_status()
    another = ASKED | {"key": {"name": "second"}, "budgets": ASKED["budgets"][:2]}

    told = client.post("/setup", json=another).json()

    assert told["made"] == [f"key {told['record']['id']}"]
    assert told["there"] == [
        "team web",
        "app web/shop",
        "month budget of team web",
        "day budget of app web/shop",
    ]


def test_a_repeat_makes_no_second_key_and_names_the_first(client: httpx.Client) -> None:
    made = client.post("/setup", json=ASKED).json()["record"]["id"]

    again = client.post("/setup", json=ASKED)

    assert again.status_code == 409
    assert made in again.json()["detail"]
    assert "rotate" in again.json()["detail"]
    assert len(client.get("/keys").json()["items"]) == 1


def test_a_call_of_the_same_idempotency_key_makes_no_second_key(client: httpx.Client) -> None:
    named = {"Idempotency-Key": "form-1"}
    made = client.post("/setup", json=ASKED, headers=named).json()["record"]["id"]
    renamed = ASKED | {"key": {"name": "another"}}

    again = client.post("/setup", json=renamed, headers=named)

    assert (again.status_code, made in again.json()["detail"]) == (409, True)
    other = client.post("/setup", json=renamed, headers={"Idempotency-Key": "form-2"})
    assert other.status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"team": "-"}, 400),
        ({"key": {"name": ""}}, 400),
        ({"key": {"name": "x", "permissions": {"models": ["none"]}}}, 400),
        ({"key": {"name": "x", "expires_at": "2001-01-01T00:00:00Z"}}, 400),
        ({"budgets": [{"window": "day", "limit_usd": "5", "alerts": [80, 70]}]}, 400),
        (
            {"budgets": [{"window": "day", "limit_usd": "5"}, {"window": "day", "limit_usd": "6"}]},
            409,
        ),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_made(
    client: httpx.Client, redis: Redis, change: dict[str, Any], status: int
) -> None:
    refused = client.post("/setup", json=ASKED | change)

    assert refused.status_code == status, refused.text
    assert redis.dbsize() == 0


def test_a_budget_with_other_settings_is_not_changed(client: httpx.Client) -> None:
    client.post("/teams", json={"name": "web"})
    client.put("/budgets/team:web/month", json={"limit_usd": "7"})

    refused = client.post("/setup", json=ASKED)

    assert (refused.status_code, "$7.00" in refused.json()["detail"]) == (409, True)
    assert client.get("/apps").json()["items"] == []


def test_a_preview_says_all_of_it_and_names_no_key(client: httpx.Client, redis: Redis) -> None:
    preview = client.post("/setup", json=ASKED, params={"preview": "true"})

    assert preview.status_code == 200, preview.text
    told = preview.json()
    assert [(each["action"], each["subject"]) for each in told["changes"]] == [
        ("team", "web"),
        ("app", "web/shop"),
        ("budget", "team:web"),
        ("budget", "app:web/shop"),
        ("key", ""),
        ("budget", "key:"),
    ]
    assert "The day budget of the new key is $5.00 from now on." in told["says"]
    assert told["changes"][4]["after"]["state"] == "usable"
    assert redis.dbsize() == 0


@pytest.mark.usefixtures("redis")
async def test_a_lead_sets_up_apps_that_are_there_without_budgets_of_the_team(
    signed_in: Callable[[Operator], httpx.AsyncClient],
) -> None:
    below = ASKED | {"budgets": ASKED["budgets"][1:]}
    async with signed_in(ADMIN) as admin, signed_in(LEAD) as lead:
        assert (await lead.post("/setup", json=below)).status_code == 403  # no such team yet
        await admin.post("/teams", json={"name": "web", "limits": {"requests_per_second": 9}})
        assert (await lead.post("/setup", json=below)).status_code == 403  # no such app yet
        await admin.post("/teams/web/apps", json={"name": "shop"})
        much = {"name": "much", "limits": {"requests_per_second": 10}}
        assert (await lead.post("/setup", json=below | {"key": much})).status_code == 400
        assert (await lead.post("/setup", json=ASKED)).status_code == 403
        assert (await lead.post("/setup", json=below | {"team": "art"})).status_code == 403
        done = await lead.post("/setup", json=below)
        newest = (await admin.get("/audit")).json()["items"][0]

    assert done.status_code == 201, done.text
    assert newest["who"] == "lead:ann"


@pytest.mark.usefixtures("redis")
async def test_a_viewer_sets_nothing_up_and_has_no_preview(
    signed_in: Callable[[Operator], httpx.AsyncClient],
) -> None:
    async with signed_in(VIEWER) as viewer:
        for path in ("/setup", "/setup?preview=true"):
            assert (await viewer.post(path, json=ASKED)).status_code == 403
        assert (await viewer.get("/teams")).json()["items"] == []

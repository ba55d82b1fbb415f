"""Teams, apps and keys by REST."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from falgate.accounts import apikey

NO_LIMITS = {"requests_per_second": 0, "generations_per_minute": 0, "generations_at_once": 0}
Shop = Callable[..., dict[str, Any]]


def test_a_team_is_made_shown_changed_and_removed(client: httpx.Client) -> None:
    web = {"name": "web", "limits": NO_LIMITS, "weight": 3, "waiting_generations": 0}
    made = client.post("/teams", json={"name": "web", "weight": 3})
    assert (made.status_code, made.json()) == (201, web)
    assert client.get("/teams/web").json() == web

    changed = client.patch("/teams/web", json={"limits": {"generations_at_once": 5}})
    client.patch("/teams/web", json={"limits": {"requests_per_second": 9}, "weight": 4})
    assert changed.json() == {**web, "limits": {**NO_LIMITS, "generations_at_once": 5}}
    assert client.get("/teams").json() == {
        "items": [
            {
                **web,
                "limits": {**NO_LIMITS, "generations_at_once": 5, "requests_per_second": 9},
                "weight": 4,
            }
        ],
        "next_cursor": None,
    }

    assert client.post("/teams", json={"name": "web"}).status_code == 409
    gone = client.delete("/teams/web")
    assert (gone.status_code, gone.content) == (204, b"")
    assert [client.delete("/teams/web").status_code, client.get("/teams/web").status_code] == [
        404,
        404,
    ]


def test_changes_at_the_same_time_are_all_kept(client: httpx.Client) -> None:
    client.post("/teams", json={"name": "web"})
    changes: list[dict[str, Any]] = [
        {"weight": 2},
        {"waiting_generations": 3},
        *({"limits": {name: 4}} for name in NO_LIMITS),
    ]
    with ThreadPoolExecutor(len(changes)) as pool:
        replies = list(pool.map(lambda change: client.patch("/teams/web", json=change), changes))

    assert [reply.status_code for reply in replies] == [200] * len(changes)
    assert client.get("/teams/web").json() == {
        "name": "web",
        "limits": dict.fromkeys(NO_LIMITS, 4),
        "weight": 2,
        "waiting_generations": 3,
    }


def test_an_app_lives_within_its_team(client: httpx.Client, shop: Shop) -> None:
    assert client.post("/teams/nope/apps", json={"name": "shop"}).status_code == 404
    key_id = shop()["record"]["id"]
    app = client.get("/teams/web/apps/shop").json()
    assert (app["team"], app["name"], app["limits"]) == ("web", "shop", NO_LIMITS)
    assert client.get("/teams/web/apps").json()["items"] == [app]
    assert client.get("/apps").json()["items"] == [app]

    changed = client.patch("/teams/web/apps/shop", json={"limits": {"generations_at_once": 5}})
    assert changed.json()["limits"]["generations_at_once"] == 5
    private = client.patch(
        "/teams/web/apps/shop", json={"cache": {"scope": "app", "callers_may": ["age"]}}
    ).json()
    assert private["limits"] == changed.json()["limits"]
    assert private["cache"] == {**app["cache"], "scope": "app", "callers_may": ["age"]}
    assert client.patch("/teams/web/apps/shop", json={"cache": {"ttl": 5}}).status_code == 400
    assert client.delete("/teams/web").status_code == 409
    assert client.delete("/teams/web/apps/shop").status_code == 409

    client.post(f"/keys/{key_id}/revoke")
    assert client.delete("/teams/web/apps/shop").status_code == 204
    assert client.delete("/teams/web").status_code == 204


def test_lists_come_in_pages(client: httpx.Client) -> None:
    for number in range(5):
        client.post("/teams", json={"name": f"t{number}"})
    names, cursor, pages = [], "", 0
    while cursor is not None:
        page = client.get("/teams", params={"limit": 2, "cursor": cursor}).json()
        # What comes and goes between two pages makes no other one come twice or never.
        client.delete(f"/teams/{page['items'][0]['name']}")
        names += [team["name"] for team in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1

    assert (names, pages) == ([f"t{number}" for number in range(5)], 3)
    for limit in ("0", "501", "x", "-1"):
        assert client.get("/teams", params={"limit": limit}).status_code == 400


def test_the_audit_log_comes_in_pages(client: httpx.Client) -> None:
    for number in range(5):
        client.post("/teams", json={"name": f"t{number}"})
    subjects, cursor = [], ""
    while cursor is not None:
        page = client.get("/audit", params={"limit": 2, "cursor": cursor}).json()
        subjects += [line["subject"] for line in page["items"]]
        cursor = page["next_cursor"]

    assert subjects == ["t4", "t3", "t2", "t1", "t0"]
    for wrong in ("x", "5", "0-0", "+", "9" * 30):
        assert client.get("/audit", params={"cursor": wrong}).status_code == 400


def test_a_key_is_told_once(client: httpx.Client, shop: Shop) -> None:
    told = shop(name="of spring", kind="test")
    presented = apikey.present(told["key"])
    assert presented is not None

    (listed,) = client.get("/keys").json()["items"]

    assert listed == told["record"] == client.get(f"/keys/{presented.id}").json()
    assert listed.pop("created_at")
    assert listed == {
        "id": presented.id,
        "kind": "test",
        "team": "web",
        "app": "shop",
        "name": "of spring",
        "state": "usable",
        "expires_at": None,
        "revoked_at": None,
        "previous_until": None,
        "permissions": {
            "models": [],
            "qualities": [],
            "sizes": [],
            "pictures_max": 0,
            "inputs_max": 0,
            "input_bytes_max": 0,
            "networks": [],
            "fresh": True,
            "derive": True,
        },
        "limits": NO_LIMITS,
    }
    everything = client.get("/keys").text + client.get("/audit").text
    assert told["key"].split("_")[3] not in everything
    assert presented.digest not in everything


def test_keys_are_listed_by_whose_they_are(client: httpx.Client, shop: Shop) -> None:
    ids = [shop()["record"]["id"] for _ in range(3)]
    client.post("/teams/web/apps", json={"name": "other"})

    def listed(of: str) -> list[str]:
        return [key["id"] for key in client.get("/keys", params={"of": of}).json()["items"]]

    assert sorted(listed("web")) == sorted(listed("web/shop")) == sorted(ids)
    assert listed("web/other") == listed("we") == []


def test_a_key_is_changed_in_part(client: httpx.Client, shop: Shop) -> None:
    path = f"/keys/{shop(name='old')['record']['id']}"
    soon = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0).isoformat()

    client.patch(path, json={"expires_at": soon})
    client.patch(path, json={"permissions": {"qualities": ["low"], "networks": ["10.0.0.0/8"]}})
    client.patch(path, json={"permissions": {"pictures_max": 2}, "disabled": True})
    changed = client.patch(path, json={"limits": {"generations_at_once": 1}}).json()

    assert (changed["name"], changed["expires_at"], changed["state"]) == ("old", soon, "disabled")
    assert changed["permissions"] == {
        "models": [],
        "qualities": ["low"],
        "sizes": [],
        "pictures_max": 2,
        "inputs_max": 0,
        "input_bytes_max": 0,
        "networks": ["10.0.0.0/8"],
        "fresh": True,
        "derive": True,
    }
    assert changed["limits"] == {**NO_LIMITS, "generations_at_once": 1}
    again = client.patch(path, json={"expires_at": None, "disabled": False}).json()
    assert (again["expires_at"], again["state"]) == (None, "usable")


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "1960-01-01T00:00:00Z"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"expires_at": "2999-01-01T00:00:00"},
        {"name": "two\nlines"},
        {"permissions": {"models": ["fal-ai/nope"]}},
        {"permissions": {"qualities": ["lw"]}},
        {"permissions": {"networks": ["10.0.0.1/8"]}},
        {"permissions": {"networks": [f"10.0.{number}.0/24" for number in range(101)]}},
        {"permissions": {"qualities": ["low"] * 101}},
        {"permissions": {"colours": ["red"]}},
        {"limits": {"generations_at_once": -1}},
        {"limits": None},
        {"disabled": "yes"},
        {"team": "other"},
    ],
)
def test_a_key_is_not_changed_to_what_makes_no_sense(
    change: dict[str, Any], client: httpx.Client, shop: Shop
) -> None:
    record = shop()["record"]
    path = f"/keys/{record['id']}"

    assert client.patch(path, json=change).status_code == 400
    assert client.get(path).json() == record
    if "team" not in change and "disabled" not in change:
        made = client.post("/keys", json={"team": "web", "app": "shop", **change})
        assert made.status_code == 400


def test_a_key_is_rotated_under_its_id(client: httpx.Client, shop: Shop) -> None:
    first = shop()
    path = f"/keys/{first['record']['id']}"

    second = client.post(f"{path}/rotate", json={"overlap_s": 60}).json()
    assert second["key"] != first["key"]
    assert second["record"]["id"] == first["record"]["id"]
    assert second["record"]["previous_until"]

    third = client.post(f"{path}/rotate", json={"overlap_s": 0}).json()
    assert third["record"]["previous_until"] is None
    for overlap_s in (-1, 10**9, 1.5, "x", None):
        assert client.post(f"{path}/rotate", json={"overlap_s": overlap_s}).status_code == 400


def test_a_key_is_revoked_for_ever(client: httpx.Client, shop: Shop) -> None:
    path = f"/keys/{shop()['record']['id']}"
    revoked = client.post(f"{path}/revoke").json()

    assert (revoked["state"], bool(revoked["revoked_at"])) == ("revoked", True)
    assert client.post(f"{path}/revoke").json() == revoked
    assert client.patch(path, json={"disabled": True}).status_code == 409
    assert client.post(f"{path}/rotate", json={}).status_code == 409
    assert client.post("/keys/nope/revoke").status_code == 404

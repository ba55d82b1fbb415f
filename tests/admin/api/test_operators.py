"""Operators: the life of one, and who they may be."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis as SyncRedis

from falgate.redis import keyspace

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(client: httpx.Client) -> Make:
    """Makes operators; teams that they lead are made before."""

    def made(role: str, name: str = "alice", **more: Any) -> dict[str, Any]:
        if team := more.get("team"):
            client.post("/teams", json={"name": team})
        reply = client.post("/operators", json={"role": role, "name": name, **more})
        assert reply.status_code == 201, reply.text
        told: dict[str, Any] = reply.json()
        return told

    return made


def test_an_operator_is_told_their_key_once_and_it_says_who_they_are(
    client: httpx.Client, served: Any, make: Make
) -> None:
    made = make("lead", team="web")

    assert made["key"].startswith(f"fg_oper_{made['record']['id']}_")
    with served.client(made["key"]) as lead:
        assert lead.get("/whoami").json() == {
            "who": "lead:alice", "role": "lead", "team": "web", "prompts": False,
        }  # fmt: skip
    shown = client.get(f"/operators/{made['record']['id']}")
    assert shown.json() == made["record"]
    assert client.get("/operators").json()["items"] == [made["record"]]
    assert made["key"].split("_")[3] not in shown.text


def test_the_first_admin_is_told_so(client: httpx.Client) -> None:
    assert client.get("/whoami").json() == {
        "who": "admin", "role": "admin", "team": None, "prompts": True,
    }  # fmt: skip
    assert client.get("/operators").json()["items"] == []


def test_another_admin_may_all_and_the_audit_log_names_them(
    client: httpx.Client, served: Any, make: Make
) -> None:
    made = make("admin")

    assert made["record"]["prompts"] is True
    with served.client(made["key"]) as admin:
        assert admin.post("/teams", json={"name": "web"}).status_code == 201
        assert admin.post("/operators", json={"role": "viewer", "name": "x"}).status_code == 201
        path = f"/operators/{made['record']['id']}"
        assert admin.patch(path, json={"prompts": False}).status_code == 400
    lines = client.get("/audit").json()["items"]
    assert [(each["who"], each["action"]) for each in lines] == [
        ("admin:alice", "operator"),
        ("admin:alice", "team"),
        ("admin", "operator"),
    ]
    assert "digest" not in str(lines)
    assert lines[0]["after"]["name"] == "x"


@pytest.mark.parametrize("how", ["revoked", "disabled", "expired", "rotated"])
def test_a_key_that_ends_opens_nothing_from_that_moment(
    how: str, client: httpx.Client, served: Any, make: Make, redis: "SyncRedis"
) -> None:
    made = make("viewer")
    path = f"/operators/{made['record']['id']}"
    with served.client(made["key"]) as viewer:
        assert viewer.get("/teams").status_code == 200

        if how == "revoked":
            assert client.post(f"{path}/revoke").json()["state"] == "revoked"
            assert client.patch(path, json={"disabled": False}).status_code == 409
            assert client.post(f"{path}/rotate", json={}).status_code == 409
        elif how == "disabled":
            assert client.patch(path, json={"disabled": True}).json()["state"] == "disabled"
        elif how == "rotated":
            renewed = client.post(f"{path}/rotate", json={}).json()["key"]
        else:
            record = str(redis.hget(keyspace.OPERATORS, made["record"]["id"]))
            expired = record.replace('"expires_s":0', '"expires_s":1')
            redis.hset(keyspace.OPERATORS, made["record"]["id"], expired)

        refused = viewer.get("/teams")
        assert refused.status_code == 401
        assert made["key"] not in refused.text
    if how == "rotated":
        with served.client(renewed) as viewer:
            assert viewer.get("/teams").status_code == 200


def test_both_secrets_open_it_while_they_overlap(
    client: httpx.Client, served: Any, make: Make
) -> None:
    made = make("viewer")

    path = f"/operators/{made['record']['id']}/rotate"
    renewed = client.post(path, json={"overlap_s": 60}).json()

    assert renewed["record"]["previous_until"]
    for key in (made["key"], renewed["key"]):
        with served.client(key) as viewer:
            assert viewer.get("/whoami").status_code == 200


def test_an_operator_is_changed_in_part_and_keeps_role_and_team(
    client: httpx.Client, make: Make
) -> None:
    path = f"/operators/{make('viewer')['record']['id']}"

    changed = client.patch(path, json={"prompts": True, "name": "bob"}).json()

    assert (changed["prompts"], changed["name"], changed["state"]) == (True, "bob", "usable")
    expiry = client.patch(path, json={"expires_at": "2099-01-31T00:00:00Z"}).json()
    assert (expiry["name"], expiry["expires_at"]) == ("bob", "2099-01-31T00:00:00+00:00")
    assert client.patch(path, json={"role": "admin"}).status_code == 400
    assert client.patch(path, json={"team": "web"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "lead", "name": "x"}, 400),
        ({"role": "lead", "name": "x", "team": "nope"}, 404),
        ({"role": "viewer", "name": "x", "team": "web"}, 400),
        ({"role": "owner", "name": "x"}, 400),
        ({"role": "viewer"}, 400),
        ({"role": "viewer", "name": ""}, 400),
        ({"role": "viewer", "name": "  "}, 400),
        ({"role": "admin", "name": "cli:root"}, 400),
        ({"role": "viewer", "name": "two\nlines"}, 400),
        ({"role": "viewer", "name": "x" * 201}, 400),
        ({"role": "viewer", "name": "x", "expires_at": "2001-01-01T00:00:00Z"}, 400),
        ({"role": "viewer", "name": "x", "id": "mine"}, 400),
    ],
)
def test_nobody_else_is_an_operator(
    body: dict[str, Any], status: int, client: httpx.Client
) -> None:
    client.post("/teams", json={"name": "web"})

    assert client.post("/operators", json=body).status_code == status
    assert client.get("/operators").json()["items"] == []


def test_a_team_with_a_lead_is_not_removed_so_that_they_lead_no_other_of_its_name(
    client: httpx.Client, make: Make
) -> None:
    lead = make("lead", team="web")["record"]["id"]
    emptied = {"file": "[organisation]\n", "prune": True}

    assert lead in client.delete("/teams/web").json()["detail"]
    (step,) = client.post("/config/plan", json=emptied).json()["steps"]
    assert (step["subject"], "lead" in step["blocked"]) == ("web", True)

    client.post(f"/operators/{lead}/revoke")
    assert client.delete("/teams/web").status_code == 204


def test_operators_are_paged(client: httpx.Client, make: Make) -> None:
    made = [make("viewer", name)["record"]["id"] for name in ("a", "b", "c")]

    first = client.get("/operators", params={"limit": 2}).json()
    rest = client.get("/operators", params={"cursor": first["next_cursor"]}).json()

    assert {each["id"] for each in first["items"] + rest["items"]} == set(made)
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)


def test_what_a_change_would_do_is_told_without_a_secret_and_nothing_is_made(
    client: httpx.Client, make: Make, redis: "SyncRedis"
) -> None:
    path = f"/operators/{make('viewer')['record']['id']}"
    before = redis.hgetall(keyspace.OPERATORS)
    lines = client.get("/audit").text
    for method, each, body, sentence, final in (
        ("POST", "/operators", {"role": "admin", "name": "bob"}, "The admin bob is made", False),
        ("PATCH", path, {"prompts": True}, "becomes on; it was off.", False),
        ("PATCH", path, {"disabled": True}, "is disabled", False),
        ("PATCH", path, {"name": "ann"}, "becomes ann; it was alice.", False),
        ("PATCH", path, {"expires_at": "2099-01-31T00:00:00Z"}, "becomes 2099-01-31", False),
        ("POST", f"{path}/rotate", {}, "stops working at once.", True),
        ("POST", f"{path}/rotate", {"overlap_s": 60}, "Its present secret works until", True),
        ("POST", f"{path}/revoke", None, "stops working for ever", True),
    ):
        told = client.request(method, each, params={"preview": "true"}, json=body)
        assert told.status_code == 200, told.text
        assert (sentence in " ".join(told.json()["says"]), told.json()["final"]) == (True, final)
        assert "digest" not in told.text
        assert "fg_oper" not in told.text
    assert redis.hgetall(keyspace.OPERATORS) == before
    assert client.get("/audit").text == lines

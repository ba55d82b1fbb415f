"""Budgets, accounts and the overage account by REST."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis as SyncRedis

from falgate.core.account import Account
from falgate.redis import keyspace

Shop = Callable[..., dict[str, Any]]
WEB = "/budgets/team:web/day"


@pytest.fixture
def web(client: httpx.Client) -> httpx.Client:
    """A client of an API with team web."""
    client.post("/teams", json={"name": "web"})
    return client


def limit(usd: str, **more: Any) -> dict[str, Any]:
    return {"limit_usd": usd, **more}


def test_a_budget_is_set_shown_raised_reset_and_removed(web: httpx.Client) -> None:
    budget = {"limit_usd": "25.00", "shadow": True, "alerts": [80, 95]}
    done = web.put(WEB, json={**budget, "limit_usd": "25"})
    shown = done.json()
    assert done.status_code == 200
    assert shown.pop("id")
    assert shown.pop("resets_at")
    assert shown == {
        "account": "team:web",
        "window": "day",
        "budget": budget,
        "raised_usd": "0.00",
        "spent_usd": "0.00",
        "held_usd": "0.00",
        "remaining_usd": "25.00",
    }

    raised = web.post(f"{WEB}/raise", json={"amount_usd": "0.000001"}).json()
    assert (raised["raised_usd"], raised["remaining_usd"]) == ("0.000001", "25.000001")
    assert raised["budget"] == budget
    assert web.get("/budgets").json()["items"] == [raised]
    assert web.post(f"{WEB}/reset").json() == {"forgiven_usd": "0.00", "standing": raised}

    assert web.delete(WEB).status_code == 204
    assert [web.get(WEB).status_code, web.delete(WEB).status_code] == [404, 404]
    actions = [line["action"] for line in web.get("/audit").json()["items"]]
    assert actions == ["budget", "reset", "raise", "budget", "team"]


def test_a_model_has_a_budget_by_its_endpoint_with_colons(client: httpx.Client) -> None:
    name = "model:openai/gpt-image-2.5/flare/text-to-image"
    path = f"/budgets/{name.replace('/', ':')}/month"

    made = client.post("/budgets", json={"account": name, "window": "month", "limit_usd": "5"})

    assert made.status_code == 201
    assert made.json()["account"] == name
    assert client.get(path).json() == made.json()
    assert client.post(f"{path}/raise", json={"amount_usd": "1"}).json()["raised_usd"] == "1.00"
    assert client.get(f"/accounts/{name.replace('/', ':')}").status_code == 200
    assert client.delete(path).status_code == 204
    unknown = client.put("/budgets/model:acme:easel/day", json=limit("1"))
    assert unknown.status_code == 404
    assert "There is no model acme/easel; there are: fal-ai/" in unknown.text


def test_what_a_body_does_not_name_of_a_budget_stays(web: httpx.Client) -> None:
    assert web.put(WEB, json={"shadow": True}).status_code == 400
    web.put(WEB, json=limit("5", shadow=True, alerts=[80]))

    raised = web.put(WEB, json=limit("6")).json()["budget"]
    enforced = web.put(WEB, json={"shadow": False}).json()["budget"]
    quiet = web.put(WEB, json={"alerts": []}).json()["budget"]

    assert raised == {"limit_usd": "6.00", "shadow": True, "alerts": [80]}
    assert enforced == {**raised, "shadow": False}
    assert quiet == {**enforced, "alerts": []}
    assert web.put(WEB, json={}).json()["budget"] == quiet


def test_a_reason_is_kept_in_the_audit_log_and_in_the_ledger(
    web: httpx.Client, redis: SyncRedis
) -> None:
    web.put(WEB, json=limit("5"))
    web.post(f"{WEB}/raise", json={"amount_usd": "1", "why": "launch day"})
    web.post(f"{WEB}/reset", json={"why": "a test went wild"})
    web.put("/overage", json=limit("2", why="prices rose"))

    reasons = ["prices rose", "a test went wild", "launch day", ""]
    assert [line["why"] for line in web.get("/audit").json()["items"][:4]] == reasons
    entries: Any = redis.xrange(keyspace.ledger("sandbox"))
    assert [fields["why"] for _, fields in entries] == reasons[2:0:-1]


@pytest.mark.parametrize("why", ["x" * 201, "two\nlines", "\x1b[2J", "\u202eabc"])
def test_a_reason_is_one_short_line(why: str, web: httpx.Client) -> None:
    web.put(WEB, json=limit("5"))

    refused = [
        web.post(f"{WEB}/raise", json={"amount_usd": "1", "why": why}),
        web.post(f"{WEB}/reset", json={"why": why}),
        web.put("/overage", json=limit("2", why=why)),
    ]

    assert [reply.status_code for reply in refused] == [400, 400, 400]
    assert web.get(WEB).json()["raised_usd"] == "0.00"


def test_a_second_budget_of_one_window_is_refused(web: httpx.Client) -> None:
    made = {"account": "team:web", "window": "day"}
    assert web.post("/budgets", json=limit("5", **made)).status_code == 201

    refused = web.post("/budgets", json=limit("6", **made))

    assert refused.status_code == 409
    assert "$5.00" in refused.json()["detail"]
    assert web.put(WEB, json=limit("6")).json()["remaining_usd"] == "6.00"


@pytest.mark.parametrize(
    "amount",
    ["-1", "", "1.0000001", "1e3", "NaN", "inf", "9999999999", "٣", "1\n", " 1", 5, 5.5, None],
)
def test_an_amount_is_a_plain_decimal(amount: Any, web: httpx.Client) -> None:
    web.put(WEB, json=limit("5"))

    replies = [
        web.put(WEB, json={"limit_usd": amount}),
        web.post(f"{WEB}/raise", json={"amount_usd": amount}),
        web.put("/overage", json={"limit_usd": amount}),
    ]

    assert [reply.status_code for reply in replies] == [400, 400, 400]
    assert web.get(WEB).json()["remaining_usd"] == "5.00"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/budgets/team:nope/day", 404),
        ("/budgets/app:web:nope/day", 404),
        ("/budgets/key:nope/day", 404),
        ("/budgets/team:web/fortnight", 400),
        ("/budgets/web/day", 400),
        ("/budgets/app:web/day", 400),
        ("/budgets/organisation:other/day", 400),
        ("/budgets/galaxy:far/day", 400),
    ],
)
def test_a_budget_is_of_somebody_and_of_a_window(path: str, status: int, web: httpx.Client) -> None:
    assert web.put(path, json=limit("5")).status_code == status
    assert web.get("/budgets").json()["items"] == []


@pytest.mark.parametrize("alerts", [[0], [1001], [90, 80], [80, 80], [80.5]])
def test_alerts_are_ascending_percentages(alerts: list[Any], web: httpx.Client) -> None:
    assert web.put(WEB, json=limit("5", alerts=alerts)).status_code == 400


def test_a_raise_with_a_key_of_the_caller_s_counts_once(web: httpx.Client) -> None:
    web.put(WEB, json=limit("5"))
    headers = {"Idempotency-Key": "raise-1"}
    for _ in range(2):
        web.post(f"{WEB}/raise", json={"amount_usd": "2"}, headers=headers)
    web.post(f"{WEB}/raise", json={"amount_usd": "1"})
    web.post(f"{WEB}/raise", json={"amount_usd": "1"})

    assert web.get(WEB).json()["raised_usd"] == "4.00"
    assert web.post(f"{WEB}/raise", json={"amount_usd": "0"}).status_code == 400


def test_every_level_has_budgets(web: httpx.Client, shop: Shop) -> None:
    key_id = shop()["record"]["id"]
    names = {
        "app:web:shop": "app:web/shop",
        f"key:{key_id}": f"key:{key_id}",
        "organisation": "organisation:main",
        "team:web": "team:web",
    }
    for in_path, name in names.items():
        for window in ("total", "hour"):
            done = web.put(f"/budgets/{in_path}/{window}", json=limit("5"))
            assert done.json()["account"] == name

    found, cursor = [], ""
    while cursor is not None:
        page = web.get("/budgets", params={"limit": 3, "cursor": cursor}).json()
        found += [(each["account"], each["window"]) for each in page["items"]]
        cursor = page["next_cursor"]
    assert found == [(name, window) for name in names.values() for window in ("hour", "total")]
    accounts = web.get("/accounts").json()["items"]
    assert [each["account"] for each in accounts] == list(names.values())


def test_the_organisation_s_last_enforced_budget_stays(web: httpx.Client) -> None:
    path = "/budgets/organisation:main/day"
    web.put(path, json=limit("5"))

    refused = [web.delete(path), web.put(path, json=limit("5", shadow=True))]

    assert [reply.status_code for reply in refused] == [409, 409]
    assert "nothing is bought" in refused[0].json()["detail"]


def test_an_account_shows_what_was_spent_without_a_budget(
    web: httpx.Client, redis: SyncRedis
) -> None:
    account = keyspace.account("sandbox", Account("team", "web"))
    redis.hset(account, mapping={"spent:total:all": 1_500_000, "held:total:all": 34_000})

    windows = web.get("/accounts/team:web").json()

    assert [each["window"] for each in windows] == ["hour", "day", "week", "month", "total"]
    total = windows[-1]
    assert (total["spent_usd"], total["held_usd"]) == ("1.50", "0.034")
    assert (total["budget"], total["remaining_usd"], total["resets_at"]) == (None, None, None)
    assert web.put("/budgets/team:web/total", json=limit("1")).json()["remaining_usd"] == "0.00"
    forgiven = web.post("/budgets/team:web/total/reset").json()
    assert (forgiven["forgiven_usd"], forgiven["standing"]["spent_usd"]) == ("1.50", "0.00")
    assert web.get("/accounts/team:nope").status_code == 404


def test_the_books_of_test_keys_are_others(web: httpx.Client, shop: Shop) -> None:
    test = {"books": "test"}
    assert web.put(WEB, json=limit("5"), params=test).status_code == 200

    assert web.get(WEB).status_code == 404
    assert web.get(WEB, params=test).json()["remaining_usd"] == "5.00"
    assert web.get(WEB, params={"books": "other"}).status_code == 400
    key_id = shop(kind="test")["record"]["id"]
    path = f"/budgets/key:{key_id}/day"
    assert web.put(path, json=limit("5")).status_code == 409
    assert web.put(path, json=limit("5"), params=test).status_code == 200


def test_the_overage_has_a_limit(web: httpx.Client, redis: SyncRedis) -> None:
    nothing = {"limit_usd": "0.00", "used_usd": "0.00", "remaining_usd": "0.00"}
    assert web.get("/overage").json() == nothing
    redis.hset(keyspace.overage("sandbox"), "overrun", 250_000)

    done = web.put("/overage", json=limit("2.5"))

    expected = {"limit_usd": "2.50", "used_usd": "0.25", "remaining_usd": "2.25"}
    assert (done.status_code, done.json()) == (200, expected)
    assert web.get("/overage").json() == expected
    assert web.get("/overage", params={"books": "test"}).json() == nothing

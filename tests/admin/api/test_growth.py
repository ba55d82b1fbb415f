"""What a call of the administration costs: as much as it shows, however much there is beside it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from redis import Redis as SyncRedis

from falgate.accounts.apikey import KeyRecord
from falgate.admin import team_budgets
from falgate.core.account import account
from falgate.redis import keyspace

Cost = Callable[[str], int]
FEW, MANY = 40, 2_000


@pytest.fixture
def read(redis: SyncRedis) -> Callable[[], int]:
    """How many bytes Redis has given so far."""

    def given() -> int:
        stats: Any = redis.info("stats")
        return int(stats["total_net_output_bytes"])

    return given


@pytest.fixture
def cost(client: httpx.Client, read: Callable[[], int]) -> Cost:
    """How many bytes Redis gives for a call."""

    def measure(path: str) -> int:
        before = read()
        looking = read() - before
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return read() - before - 2 * looking

    return measure


def fill(redis: SyncRedis, number: int) -> None:
    """So many keys of team web, of which a few are of its shop."""
    records: dict[str, KeyRecord] = {}
    for each in range(number):
        app = "shop" if each % (number // 10) == 0 else "blog"
        record = KeyRecord(
            id=f"k{each:010}", kind="live", digest="d" * 64, team="web", app=app, name="",
            created_s=1_700_000_000 + each // 7,
        )  # fmt: skip
        records[record.id] = record
    with redis.pipeline(transaction=False) as pipeline:
        for record in records.values():
            encoded = msgspec.json.encode(record)
            pipeline.hset(keyspace.apikey(record.id), "record", encoded)
            for of in ("", "web", f"web/{record.app}"):
                pipeline.zadd(keyspace.key_order(of), {record.place: 0})
        pipeline.execute()
    redis.sadd(keyspace.accounts("sandbox"), "team:web", *(f"key:{each}" for each in records))


@pytest.mark.parametrize(
    "path", ["/keys?limit=10", "/keys?limit=10&of=web/shop", "/accounts/team:web"]
)
def test_a_call_costs_no_more_where_there_are_many_keys(
    path: str, redis: SyncRedis, client: httpx.Client, cost: Cost
) -> None:
    client.post("/teams", json={"name": "web"})
    costs = []
    for number in (FEW, MANY):
        fill(redis, number)
        costs.append(cost(path))

    assert costs[1] < 2 * costs[0], costs


def test_pages_hold_every_key_once_the_oldest_first(redis: SyncRedis, client: httpx.Client) -> None:
    fill(redis, MANY)
    found, cursor = [], ""
    while cursor is not None:
        page = client.get("/keys", params={"limit": 450, "cursor": cursor}).json()
        found += [key["id"] for key in page["items"]]
        cursor = page["next_cursor"]

    assert found == [f"k{each:010}" for each in range(MANY)]
    shop = client.get("/keys", params={"of": "web/shop", "limit": 500}).json()["items"]
    assert [key["id"] for key in shop] == found[:: MANY // 10]
    assert client.get("/keys", params={"of": "web/sho"}).json()["items"] == []


def limit_all(redis: SyncRedis, number: int) -> None:
    """So many keys, each with a budget for a day and one for a month."""
    budget = '{"limit":5000000}'
    with redis.pipeline(transaction=False) as pipeline:
        for each in range(number):
            name = f"key:k{each:010}"
            fields: dict[Any, Any] = {"budget:day": budget, "budget:month": budget}
            pipeline.hset(keyspace.account("sandbox", account(name)), mapping=fields)
            pipeline.zadd(keyspace.limited("sandbox"), {name: 0})
        pipeline.zadd(keyspace.limited("sandbox"), {"": 0})
        pipeline.execute()


def test_a_page_of_budgets_costs_no_more_where_there_are_many(redis: SyncRedis, cost: Cost) -> None:
    costs = []
    for number in (FEW, MANY):
        limit_all(redis, number)
        costs.append(cost("/budgets?limit=10"))

    assert costs[1] < 2 * costs[0], costs


def test_pages_hold_every_budget_once_by_account_and_window(
    redis: SyncRedis, client: httpx.Client
) -> None:
    limit_all(redis, FEW)
    found, cursor = [], ""
    while cursor is not None:
        page = client.get("/budgets", params={"limit": 7, "cursor": cursor}).json()
        found += [(each["account"], each["window"]) for each in page["items"]]
        cursor = page["next_cursor"]

    assert found == [
        (f"key:k{each:010}", window) for each in range(FEW) for window in ("day", "month")
    ]


@pytest.fixture
def lead(client: httpx.Client, served: Any) -> Iterator[httpx.Client]:
    """The lead of team web, which has an app with a budget."""
    client.post("/teams", json={"name": "web"})
    client.post("/teams/web/apps", json={"name": "shop"})
    for limited in ("team:web", "app:web:shop"):
        client.put(f"/budgets/{limited}/month", json={"limit_usd": "5"})
    made = client.post("/operators", json={"role": "lead", "name": "lea", "team": "web"}).json()
    with served.client(made["key"]) as signed_in:
        yield signed_in


def test_a_page_of_a_leads_budgets_costs_no_more_where_the_team_has_many_keys(
    redis: SyncRedis, lead: httpx.Client, read: Callable[[], int]
) -> None:
    costs = []
    for number in (team_budgets.LOOKED_MAX // 5, team_budgets.LOOKED_MAX):
        fill(redis, number)
        limit_all(redis, number)
        before = read()
        assert len(lead.get("/budgets?limit=10").json()["items"]) == 10
        costs.append(read() - before)

    assert costs[1] < 1.5 * costs[0], costs


def test_a_leads_pages_hold_every_budget_once_though_few_keys_have_one(
    redis: SyncRedis, lead: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_budgets, "LOOKED_MAX", 500)
    fill(redis, MANY)
    limit_all(redis, FEW)
    last = f"key:k{MANY - 1:010}"
    lead.put(f"/budgets/{last}/day", json={"limit_usd": "5"})
    found, sizes, cursor = [], [], ""
    while cursor is not None:
        page = lead.get("/budgets", params={"limit": 7, "cursor": cursor}).json()
        found += [(each["account"], each["window"]) for each in page["items"]]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]

    keys = [(f"key:k{each:010}", window) for each in range(FEW) for window in ("day", "month")]
    assert found == [("team:web", "month"), ("app:web/shop", "month"), *keys, (last, "day")]
    assert 0 in sizes


def test_a_leads_cursor_shows_no_key_of_another_team(
    redis: SyncRedis, client: httpx.Client, lead: httpx.Client
) -> None:
    client.post("/teams", json={"name": "rival"})
    client.post("/teams/rival/apps", json={"name": "forge"})
    other = client.post("/keys", json={"team": "rival", "app": "forge"}).json()["record"]
    client.put(f"/budgets/key:{other['id']}/day", json={"limit_usd": "5"})
    found: Any = redis.zrange(keyspace.key_order("rival"), 0, -1)
    (place,) = found

    for cursor in (f"key:{place} 0", f"key:{place} ", "key: ", "app:rival/forge 0", " ", "zebra"):
        assert "rival" not in lead.get("/budgets", params={"cursor": cursor}).text
        assert other["id"] not in lead.get("/budgets", params={"cursor": cursor}).text

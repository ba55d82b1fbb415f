"""Budgets in Redis: set as they were read, raised and reset once, and shown as they stand."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from booked import booked
from redis.asyncio import Redis

from falgate.accounts.store.registry import Registry
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Calendar, Kind
from falgate.money.budget import Budget, BudgetUnset, Position
from falgate.money.store.budgets import Budgets
from falgate.redis import keyspace

FAL = "fal"
TEAM = Account("team", "web")


@pytest.fixture
def budgets(redis: Redis) -> Budgets:
    return Budgets(redis, Calendar(ZoneInfo("UTC")))


async def position(budgets: Budgets, kind: Kind = "total") -> Position:
    return (await budgets.positions(FAL, TEAM))[KINDS.index(kind)]


async def put(budgets: Budgets, budget: Budget, kind: Kind = "total") -> None:
    was = await budgets.read(FAL, TEAM, kind)
    assert await budgets.put(FAL, TEAM, kind, was=was, now=budget, who="me")


@pytest.fixture
def spend(redis: Redis) -> Callable[[int], Awaitable[None]]:
    """Settles an amount in the total window, without a job."""

    async def spend(amount: int) -> None:
        await redis.hincrby(keyspace.account(FAL, TEAM), "spent:total:all", amount)
        await redis.sadd(keyspace.accounts(FAL), TEAM.name)

    return spend


async def test_a_budget_is_read_as_it_was_put(budgets: Budgets) -> None:
    budget = Budget(limit=25_000_000, shadow=True, alerts=(80, 95))
    await put(budgets, budget)

    assert await budgets.read(FAL, TEAM, "total") == budget
    assert await budgets.read(FAL, TEAM, "day") is None
    assert await budgets.read("test", TEAM, "total") is None
    assert await budgets.accounts(FAL) == [TEAM]


async def test_a_change_that_came_too_late_does_nothing(budgets: Budgets) -> None:
    await put(budgets, Budget(limit=1))

    for was in (None, Budget(limit=2)):
        assert not await budgets.put(FAL, TEAM, "total", was=was, now=Budget(limit=3), who="me")

    assert await budgets.read(FAL, TEAM, "total") == Budget(limit=1)


async def test_positions_are_those_of_the_windows_of_now(
    budgets: Budgets, spend: Callable[[int], Awaitable[None]]
) -> None:
    await put(budgets, Budget(limit=100))
    await spend(30)

    found = await budgets.positions(FAL, TEAM)

    assert [each.window.kind for each in found] == list(KINDS)
    assert [each.budget for each in found] == [None] * 4 + [Budget(limit=100)]
    total = found[-1]
    assert (total.limit, total.spent, total.held, total.remaining) == (100, 30, 0, 70)


async def test_a_limit_below_what_is_spent_leaves_nothing(
    budgets: Budgets, spend: Callable[[int], Awaitable[None]]
) -> None:
    await spend(30)
    await put(budgets, Budget(limit=10))

    assert (await position(budgets)).remaining == 0


async def test_a_raise_counts_once_and_in_its_window_only(budgets: Budgets) -> None:
    await put(budgets, Budget(limit=100))
    await put(budgets, Budget(limit=100), "day")

    for _ in range(2):
        await budgets.raise_(FAL, TEAM, "total", 50, change="one", who="me")
    await budgets.raise_(FAL, TEAM, "total", 7, change="two", who="me")

    assert (await position(budgets)).limit == 157
    assert (await position(budgets, "day")).limit == 100
    assert await budgets.read(FAL, TEAM, "total") == Budget(limit=100)


async def test_only_a_budget_that_is_there_can_be_raised(
    budgets: Budgets, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    with pytest.raises(BudgetUnset):
        await budgets.raise_(FAL, TEAM, "total", 50, change="one", who="me")

    assert await everything() == {}


async def test_a_reset_forgives_once_and_what_follows_counts_again(
    budgets: Budgets, spend: Callable[[int], Awaitable[None]]
) -> None:
    await put(budgets, Budget(limit=100))
    await spend(30)

    assert await budgets.reset(FAL, TEAM, "total", change="one", who="me") == 30
    assert (await position(budgets)).spent == 0
    await spend(5)
    assert await budgets.reset(FAL, TEAM, "total", change="one", who="me") == 0
    assert (await position(budgets)).spent == 5
    assert await budgets.reset(FAL, TEAM, "total", change="two", who="me") == 5
    assert (await position(budgets)).spent == 0


async def test_raises_and_resets_are_in_the_ledger_and_in_the_audit_log(
    budgets: Budgets, redis: Redis, spend: Callable[[int], Awaitable[None]]
) -> None:
    await put(budgets, Budget(limit=100))
    await spend(30)
    for _ in range(2):
        await budgets.raise_(FAL, TEAM, "total", 50, change="a", who="cli:me")
        await budgets.reset(FAL, TEAM, "total", change="b", who="admin", why="a fair")

    entries = await booked(redis, FAL)
    lines = [line async for line in Registry(redis).audit()]

    for entry in entries:
        del entry["entry"]
    window = {"account": "team:web", "windows": "total:all"}
    assert entries == [
        {"kind": "raise", **window, "raised": "50", "who": "cli:me", "why": ""},
        {"kind": "reset", **window, "forgiven": "30", "who": "admin", "why": "a fair"},
    ]
    assert [(line.action, line.subject, line.who) for line in lines] == [
        ("reset", "team:web/total@fal", "admin"),
        ("raise", "team:web/total@fal", "cli:me"),
        ("budget", "team:web/total@fal", "me"),
    ]
    assert (json.loads(lines[0].before), json.loads(lines[0].after)) == (
        {"spent": 30},
        {"spent": 0},
    )


async def test_a_budget_that_is_removed_leaves_what_was_spent(
    budgets: Budgets, spend: Callable[[int], Awaitable[None]]
) -> None:
    await put(budgets, Budget(limit=100))
    await spend(30)
    assert await budgets.put(FAL, TEAM, "total", was=Budget(limit=100), now=None, who="me")

    left = await position(budgets)

    assert (left.budget, left.limit, left.remaining, left.spent) == (None, None, None, 30)
    assert await budgets.accounts(FAL) == [TEAM]


async def test_the_overage_limit_is_kept_and_changes_of_it_are_written_down(
    budgets: Budgets, redis: Redis
) -> None:
    assert await budgets.overage(FAL) == (0, 0)
    await budgets.set_overage(FAL, 7, "me")
    await budgets.open_overage(FAL, 9)
    await budgets.set_overage(FAL, 8, "you")

    assert await budgets.overage(FAL) == (8, 0)
    lines = [line async for line in Registry(redis).audit()]
    assert [(line.who, line.action, line.before, line.after) for line in lines] == [
        ("you", "overage", "7", "8"),
        ("me", "overage", "", "7"),
    ]


async def test_those_with_a_budget_are_found_among_many_that_were_charged(
    budgets: Budgets, redis: Redis
) -> None:
    await redis.sadd(keyspace.accounts(FAL), *(f"key:{number}" for number in range(1_200)))
    for account in (Account("key", "7"), TEAM):
        await budgets.put(FAL, account, "hour", was=None, now=Budget(limit=1), who="me")

    assert len(await budgets.accounts(FAL)) == 1_201
    assert await budgets.limited(FAL) == [Account("key", "7"), TEAM]
    assert await budgets.limited(FAL, "key:8") == [TEAM]
    assert await budgets.limited(FAL, number=1) == [Account("key", "7")]
    await budgets.put(FAL, TEAM, "hour", was=Budget(limit=1), now=None, who="me")
    assert await budgets.limited(FAL) == [Account("key", "7")]


async def test_budgets_that_an_earlier_version_set_are_listed_once_and_for_all(
    budgets: Budgets, redis: Redis
) -> None:
    await redis.sadd(keyspace.accounts(FAL), *(f"key:{number}" for number in range(700)))
    await redis.hset(keyspace.account(FAL, Account("key", "650")), "budget:day", '{"limit":5}')

    assert await budgets.limited(FAL) == [Account("key", "650")]
    await redis.delete(keyspace.accounts(FAL))
    assert await budgets.limited(FAL) == [Account("key", "650")]
    [[_, day, *_]] = await budgets.positions_of(FAL, [Account("key", "650")])
    assert (day.limit, day.spent) == (5, 0)


async def test_accounts_are_those_of_their_own_upstream(budgets: Budgets) -> None:
    for upstream, account in [("fal", TEAM), ("fal", ORGANISATION), ("test", TEAM)]:
        await budgets.put(upstream, account, "day", was=None, now=Budget(limit=1), who="me")

    assert await budgets.accounts("fal") == [ORGANISATION, TEAM]
    assert await budgets.accounts("test") == [TEAM]


async def test_who_lowers_a_limit_or_takes_it_away_takes_the_raise_back(
    redis: Redis, budgets: Budgets
) -> None:
    async def raised(now: Budget | None) -> int:
        await put(budgets, Budget(limit=100))
        await budgets.raise_(FAL, TEAM, "total", 50, change=f"r {now}", who="me")
        assert (await position(budgets)).raised == 50
        was = await budgets.read(FAL, TEAM, "total")
        assert await budgets.put(FAL, TEAM, "total", was=was, now=now, who="me")
        return (await position(budgets)).raised

    assert await raised(Budget(limit=99)) == 0
    assert await raised(Budget(limit=0)) == 0
    assert await raised(None) == 0
    assert await raised(Budget(limit=100, alerts=(80,))) == 50
    entries: Any = await redis.xrange(keyspace.ledger(FAL))
    amounts = [int(fields["raised"]) for _, fields in entries]
    assert amounts == [50, -50, 50, -50, 50, -50, 50]

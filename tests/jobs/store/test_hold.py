"""Claiming a flight and holding its money: every answer of the script, and what it leaves."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION
from falgate.core.calendar import KINDS, Kind
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import (
    Denied,
    Held,
    Joined,
    LedgerMismatch,
    NoBudget,
    OverageFull,
    PoolChanged,
    Vacant,
    Waiter,
)
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.redis import keyspace

Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Money = Callable[[], Awaitable[tuple[int, int, int]]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
Limit = Callable[..., Awaitable[None]]
NEW = PoolVersion()


async def test_a_hold_is_a_job_with_its_money_set_aside(
    jobs: Jobs, order: Orders, money: Money, redis: Redis, ledger: Ledger
) -> None:
    assert await jobs.hold(order(), NEW, PurchaseLimits()) == Held()

    job = await jobs.read("a")
    assert job is not None
    assert (job.order, job.state, job.owner, job.epoch) == (order(), "reserved", "one", 1)
    assert job.began_ms <= await jobs.now_ms()
    assert await money() == (0, 100, 0)
    assert await redis.get(keyspace.flight("f")) == "open:a"
    assert await ledger.open_jobs(order().upstream) == 1


def _unalerted(found: dict[str, Any]) -> dict[str, Any]:
    """All but the alert of a first refusal, and the note that there was one."""
    del found[keyspace.ALERTS]
    return {
        key: {name: each for name, each in value.items() if not name.startswith("refused:")}
        if isinstance(value, dict)
        else value
        for key, value in found.items()
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_exactly_what_remains_is_held_and_not_one_more(
    kind: Kind, jobs: Jobs, order: Orders, limit: Limit, everything: Everything
) -> None:
    await limit(150, kind)
    assert await jobs.hold(order("a", "f"), NEW, PurchaseLimits()) == Held()
    before = await everything()

    refused = await jobs.hold(order("b", "g", held=51), NEW, PurchaseLimits())

    assert isinstance(refused, Denied)
    assert (refused.account, refused.window.kind) == (ORGANISATION, kind)
    assert (refused.limit, refused.spent, refused.held) == (150, 0, 100)
    assert _unalerted(await everything()) == before
    assert await jobs.hold(order("b", "g", held=50), NEW, PurchaseLimits()) == Held()


async def test_what_was_spent_counts_like_what_is_held(
    jobs: Jobs, order: Orders, bring: Brings, limit: Limit
) -> None:
    await limit(150, "total")
    await bring(order("a", "f"), "paid", charge=60)

    refused = await jobs.hold(order("b", "g", held=91), NEW, PurchaseLimits())

    assert isinstance(refused, Denied)
    assert (refused.limit, refused.spent, refused.held) == (150, 60, 0)
    assert await jobs.hold(order("b", "g", held=90), NEW, PurchaseLimits()) == Held()


async def test_of_several_budgets_without_room_the_one_with_least_is_told(
    jobs: Jobs, order: Orders, limit: Limit
) -> None:
    team = order().accounts[1]
    await limit(90, "day", team)
    await limit(30, "week", team)
    await limit(60, "total")

    refused = await jobs.hold(order(), NEW, PurchaseLimits())
    assert isinstance(refused, Denied)
    assert (refused.account, refused.window.kind, refused.limit) == (team, "week", 30)


async def test_a_budget_of_nothing_buys_nothing(
    jobs: Jobs, order: Orders, limit: Limit, everything: Everything
) -> None:
    await limit(0, "day")
    before = await everything()

    assert isinstance(await jobs.hold(order(held=1), NEW, PurchaseLimits()), Denied)
    assert _unalerted(await everything()) == before


async def test_a_budget_of_one_window_is_enough(
    jobs: Jobs, order: Orders, redis: Redis, money: Money
) -> None:
    await redis.hdel(keyspace.account(order().upstream, ORGANISATION), "budget:day")

    assert await jobs.hold(order(), NEW, PurchaseLimits()) == Held()
    assert await money() == (0, 100, 0)


async def test_without_a_budget_nothing_is_held(
    jobs: Jobs, order: Orders, redis: Redis, everything: Everything
) -> None:
    account = keyspace.account(order().upstream, ORGANISATION)
    await redis.hdel(account, "budget:day", "budget:total")
    before = await everything()

    assert await jobs.hold(order(), NEW, PurchaseLimits()) == NoBudget()
    assert await everything() == before


async def test_books_of_another_upstream_have_budgets_of_their_own(
    jobs: Jobs, order: Orders, everything: Everything
) -> None:
    before = await everything()

    verdict = await jobs.hold(order(upstream="sandbox"), NEW, PurchaseLimits())

    assert verdict == OverageFull(0, 0)
    assert await everything() == before


HOUSES = {
    "room": (10, 9, Held()),
    "exactly_full": (10, 10, OverageFull(10, 10)),
    "over": (10, 11, OverageFull(10, 11)),
    "allowed_nothing": (0, 1, OverageFull(0, 1)),
}


@pytest.mark.parametrize("name", HOUSES)
async def test_a_full_overage_stops_buying(
    name: str, jobs: Jobs, order: Orders, bring: Brings, budgets: Budgets
) -> None:
    limit, overrun, verdict = HOUSES[name]
    await bring(order("a", "f"), "paid", charge=100 + overrun)
    await budgets.set_overage(order().upstream, limit, "test")

    assert await jobs.hold(order("b", "g"), NEW, PurchaseLimits()) == verdict


async def test_an_overage_of_nothing_lets_buy_until_it_has_borne_something(
    jobs: Jobs, order: Orders, budgets: Budgets
) -> None:
    await budgets.set_overage(order().upstream, 0, "test")

    assert await jobs.hold(order(), NEW, PurchaseLimits()) == Held()


@pytest.mark.parametrize("found", ["another", None])
async def test_another_ledger_or_none_holds_nothing(
    found: str | None, jobs: Jobs, order: Orders, redis: Redis, everything: Everything
) -> None:
    if found is None:
        await redis.delete(keyspace.META)
    else:
        await redis.hset(keyspace.META, "id", found)
    before = await everything()

    assert await jobs.hold(order(), NEW, PurchaseLimits()) == LedgerMismatch()
    assert await everything() == before


@pytest.mark.parametrize("state", ["reserved", "submitting", "accepted", "paid"])
async def test_a_second_purchase_joins_the_first_until_it_ends(
    state: str, jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    await bring(order("a", "f"), state)
    before = await everything()

    assert await jobs.hold(order("b", "f"), NEW, PurchaseLimits()) == Joined("a")
    assert await everything() == before


async def test_who_asks_again_has_the_hold_already(
    jobs: Jobs, order: Orders, everything: Everything
) -> None:
    assert await jobs.hold(order(), NEW, PurchaseLimits()) == Held()
    before = await everything()

    assert await jobs.hold(order(), NEW, PurchaseLimits()) == Held()
    assert await everything() == before


NEWS = {
    "never_read": (PoolVersion(0, 0), PoolChanged(7, 2)),
    "older_generation": (PoolVersion(6, 9), PoolChanged(7, 2)),
    "fewer_pictures": (PoolVersion(7, 1), PoolChanged(7, 2)),
    "all_of_it": (PoolVersion(7, 2), Held()),
    "more_pictures": (PoolVersion(7, 3), Held()),
    "newer_generation": (PoolVersion(8, 0), Held()),
}


@pytest.mark.parametrize("name", NEWS)
async def test_a_marker_stops_who_has_not_seen_what_was_published(
    name: str, jobs: Jobs, order: Orders, bring: Brings
) -> None:
    seen, verdict = NEWS[name]
    await jobs.finish(await bring(order("a", "f"), "paid"), (), PoolVersion(7, 2))

    assert await jobs.hold(order("b", "f"), seen, PurchaseLimits()) == verdict


async def test_a_flight_that_published_nothing_stops_nobody(
    jobs: Jobs, order: Orders, bring: Brings
) -> None:
    await jobs.finish(await bring(order("a", "f"), "paid"), (), None)
    released = await bring(order("b", "g"), "reserved")
    await jobs.settle(released, Settlement(state="released", charge=0))

    assert await jobs.hold(order("c", "f"), NEW, PurchaseLimits()) == Held()
    assert await jobs.hold(order("d", "g"), NEW, PurchaseLimits()) == Held()


async def test_a_limit_that_is_no_number_holds_nothing(
    jobs: Jobs, order: Orders, redis: Redis, everything: Everything
) -> None:
    account = keyspace.account(order().upstream, ORGANISATION)
    await redis.hset(account, "budget:day", '{"limit":"nan"}')
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.hold(order(), NEW, PurchaseLimits())
    assert await everything() == before


async def test_who_only_joins_holds_nothing_where_nobody_is_buying(
    jobs: Jobs, order: Orders, everything: Everything
) -> None:
    company = Waiter(request="r", patience_ms=60_000, joins=True)
    before = await everything()
    assert await jobs.hold(order("a", "f"), NEW, PurchaseLimits(), company) == Vacant()
    assert await everything() == before

    assert await jobs.hold(order("a", "f"), NEW, PurchaseLimits()) == Held()
    assert await jobs.hold(order("b", "f"), NEW, PurchaseLimits(), company) == Joined("a")
    assert await jobs.read("b") is None

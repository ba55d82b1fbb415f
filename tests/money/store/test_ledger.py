"""The ledger: born once, its limits, where the money stands, and every entry in order."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from booked import booked
from redis.asyncio import Redis

from falgate.core.account import ORGANISATION
from falgate.core.calendar import KINDS, Calendar
from falgate.jobs.job import Job, Order
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger, LedgerStrange
from falgate.redis import keyspace

UTC_WEEKS = Calendar(ZoneInfo("UTC"))
UPSTREAM = "https://queue.example"


async def test_a_ledger_is_born_once(ledger: Ledger) -> None:
    born = await ledger.birth(None, UTC_WEEKS)

    assert len(born) == 32
    assert await ledger.birth(None, UTC_WEEKS) == born
    assert await ledger.birth(born, UTC_WEEKS) == born


async def test_another_ledger_or_none_is_strange(ledger: Ledger, redis: Redis) -> None:
    with pytest.raises(LedgerStrange):
        await ledger.birth("lost", UTC_WEEKS)
    assert await redis.dbsize() == 0
    born = await ledger.birth(None, UTC_WEEKS)

    with pytest.raises(LedgerStrange):
        await ledger.birth("another", UTC_WEEKS)
    assert await ledger.birth(None, UTC_WEEKS) == born


@pytest.mark.parametrize(
    "other", [Calendar(ZoneInfo("Europe/Vienna")), Calendar(ZoneInfo("UTC"), "sunday")]
)
async def test_a_ledger_counts_by_one_calendar(other: Calendar, ledger: Ledger) -> None:
    await ledger.birth(None, UTC_WEEKS)

    with pytest.raises(
        LedgerStrange,
        match=f"UTC/monday.*{other.name}: set FALGATE_TIMEZONE=UTC and FALGATE_WEEK_STARTS=monday",
    ):
        await ledger.birth(None, other)


async def test_a_ledger_of_an_earlier_form_is_strange(ledger: Ledger, redis: Redis) -> None:
    await redis.hset(keyspace.META, "format", "1")

    with pytest.raises(LedgerStrange, match="format 1"):
        await ledger.birth(None, UTC_WEEKS)


async def test_a_first_limit_of_the_overage_keeps_the_one_that_there_is(budgets: Budgets) -> None:
    await budgets.open_overage(UPSTREAM, 5)
    await budgets.open_overage(UPSTREAM, 9)

    assert await budgets.overage(UPSTREAM) == (5, 0)


async def test_every_account_stands_where_its_jobs_left_it(
    ledger: Ledger,
    budgets: Budgets,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
) -> None:
    await bring(order("a", "f"), "paid", charge=130)
    await bring(order("b", "g"), "submitting")

    for account in order().accounts:
        positions = await budgets.positions(UPSTREAM, account)

        assert [position.window.kind for position in positions] == list(KINDS)
        assert {(position.spent, position.held) for position in positions} == {(100, 100)}
    limits = [p.limit for p in await budgets.positions(UPSTREAM, ORGANISATION)]
    assert limits == [None, 1_000, None, None, 5_000]
    assert await budgets.overage(UPSTREAM) == (100, 30)
    assert await ledger.open_jobs(UPSTREAM) == 2


async def test_another_upstream_has_books_of_its_own(
    redis: Redis,
    ledger: Ledger,
    budgets: Budgets,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
) -> None:
    await bring(order(), "paid")

    positions = await budgets.positions("sandbox", ORGANISATION)

    assert {(p.limit, p.spent, p.held) for p in positions} == {(None, 0, 0)}
    assert await budgets.overage("sandbox") == (0, 0)
    assert await ledger.open_jobs("sandbox") == 0
    assert await booked(redis, "sandbox") == []


@pytest.mark.parametrize("number", [0, 1, 249, 250, 251, 500, 501])
async def test_every_entry_is_read_once_and_in_order(number: int, redis: Redis) -> None:
    pipeline: Any = redis.pipeline(transaction=False)
    for entry in range(number):
        pipeline.xadd(keyspace.ledger(UPSTREAM), {"job": str(entry)})
    await pipeline.execute()

    read = await booked(redis, UPSTREAM)

    assert [entry["job"] for entry in read] == [str(entry) for entry in range(number)]
    assert len({entry["entry"] for entry in read}) == number

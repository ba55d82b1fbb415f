"""The ledger: born once, its limits, where the money stands, and every entry in order."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core import budget
from falgate.core.job import Job, Order
from falgate.store import _keys
from falgate.store.ledger import Ledger, LedgerStrange

UPSTREAM = "https://queue.example"


async def test_a_ledger_is_born_once(ledger: Ledger) -> None:
    born = await ledger.birth(None)

    assert len(born) == 32
    assert await ledger.birth(None) == born
    assert await ledger.birth(born) == born


async def test_another_ledger_or_none_is_strange(ledger: Ledger, redis: Redis) -> None:
    with pytest.raises(LedgerStrange):
        await ledger.birth("lost")
    assert await redis.dbsize() == 0
    born = await ledger.birth(None)

    with pytest.raises(LedgerStrange):
        await ledger.birth("another")
    assert await ledger.birth(None) == born


@pytest.mark.parametrize(("keep", "limit"), [(True, 5), (False, 9)])
async def test_a_limit_that_there_is_may_be_kept(keep: bool, limit: int, ledger: Ledger) -> None:
    await ledger.limit(UPSTREAM, budget.ORGANISATION, "day", 5, keep=keep)
    await ledger.limit(UPSTREAM, budget.ORGANISATION, "day", 9, keep=keep)
    await ledger.house_limit(UPSTREAM, 5, keep=keep)
    await ledger.house_limit(UPSTREAM, 9, keep=keep)

    day, total = await ledger.positions(UPSTREAM, budget.ORGANISATION)
    assert (day.limit, total.limit) == (limit, None)
    assert await ledger.house(UPSTREAM) == (limit, 0)


async def test_an_account_stands_where_its_jobs_left_it(
    ledger: Ledger, order: Callable[..., Order], bring: Callable[..., Awaitable[Job]]
) -> None:
    await bring(order("a", "f"), "paid", charge=130)
    await bring(order("b", "g"), "submitting")

    day, total = await ledger.positions(UPSTREAM, budget.ORGANISATION)

    assert (day.limit, day.spent, day.held) == (1_000, 100, 100)
    assert (total.limit, total.spent, total.held) == (5_000, 100, 100)
    assert (day.window.kind, total.window.kind) == ("day", "total")
    assert await ledger.house(UPSTREAM) == (100, 30)
    assert await ledger.open_jobs(UPSTREAM) == 2


async def test_another_upstream_has_books_of_its_own(
    ledger: Ledger, order: Callable[..., Order], bring: Callable[..., Awaitable[Job]]
) -> None:
    await bring(order(), "paid")

    positions = await ledger.positions("sandbox", budget.ORGANISATION)

    assert [(p.limit, p.spent, p.held) for p in positions] == [(None, 0, 0), (None, 0, 0)]
    assert await ledger.house("sandbox") == (0, 0)
    assert await ledger.open_jobs("sandbox") == 0
    assert [entry async for entry in ledger.entries("sandbox")] == []


@pytest.mark.parametrize("number", [0, 1, 499, 500, 501, 1_000, 1_001])
async def test_every_entry_is_read_once_and_in_order(
    number: int, ledger: Ledger, redis: Redis
) -> None:
    pipeline: Any = redis.pipeline(transaction=False)
    for entry in range(number):
        pipeline.xadd(_keys.ledger(UPSTREAM), {"job": str(entry)})
    await pipeline.execute()

    read = [entry async for entry in ledger.entries(UPSTREAM)]

    assert [entry["job"] for entry in read] == [str(entry) for entry in range(number)]
    assert len({entry["entry"] for entry in read}) == number

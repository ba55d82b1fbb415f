"""Verifying: clean after everything that can happen, and every planted difference is found."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.difference import Difference
from falgate.money.entry import EntryStrange
from falgate.money.store.budgets import Budgets
from falgate.money.store.verify import verify
from falgate.redis import keyspace, usage_keys

UPSTREAM = "https://queue.example"
TEAM = Account("team", "t")
TERMS = PurchaseLimits()

Bring = Callable[..., Awaitable[Job]]


@pytest.fixture
async def busy(bring: Bring, order: Callable[..., Order], jobs: Jobs, budgets: Budgets) -> None:
    """Books with a job in each state, an overrun, a raise and a reset."""
    await bring(order("a", "fa"), "paid", charge=130)
    await bring(order("b", "fb", team="u", app="q", key="l"), "paid")
    await budgets.reset(UPSTREAM, ORGANISATION, "day", change="reset-1", who="test")
    await budgets.raise_(UPSTREAM, ORGANISATION, "day", 500, change="raise-1", who="test")
    for job_id, state in (("c", "reserved"), ("d", "submitting"), ("e", "accepted")):
        await bring(order(job_id, f"f{job_id}"), state)
    released = await bring(order("g", "fg"), "reserved")
    await jobs.settle(released, Settlement(state="released", charge=0))
    unknown = await bring(order("h", "fh"), "submitting")
    await jobs.settle(unknown, Settlement(state="unknown", charge=100))


async def _day(budgets: Budgets) -> str:
    positions = await budgets.positions(UPSTREAM, ORGANISATION)
    return positions[1].window.name


async def _first(redis: Redis) -> dict[Any, Any]:
    page: Any = await redis.xrange(keyspace.ledger(UPSTREAM), count=1)
    found: dict[Any, Any] = page[0][1]
    return found


@pytest.mark.usefixtures("busy")
async def test_books_that_nobody_touched_are_clean(redis: Redis) -> None:
    found = await verify(redis, UPSTREAM)

    assert found.differences == ()
    assert (found.entries, found.accounts) == (6, 8)


async def test_an_empty_ledger_is_clean(redis: Redis) -> None:
    found = await verify(redis, UPSTREAM)

    assert (found.entries, found.accounts, found.differences) == (0, 0, ())


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("counter", ["spent", "held", "raised", "forgiven"])
@pytest.mark.parametrize("charged", [ORGANISATION, TEAM], ids=["organisation", "team"])
async def test_a_counter_that_is_off_is_named(
    counter: str, charged: Account, redis: Redis, budgets: Budgets
) -> None:
    window = await _day(budgets)
    is_now = await redis.hincrby(keyspace.account(UPSTREAM, charged), f"{counter}:{window}", 7)

    found = await verify(redis, UPSTREAM)

    off = Difference(
        account=charged.name, window=window, counter=counter, found=is_now, ledger=is_now - 7
    )
    assert found.differences == (off,)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("counter", "has_to_be"), [("open", 3), ("waiting", 100)])
async def test_what_is_under_way_is_counted(counter: str, has_to_be: int, redis: Redis) -> None:
    await redis.hincrby(keyspace.account(UPSTREAM, TEAM), counter, 1)

    found = await verify(redis, UPSTREAM)

    off = Difference(
        account="team:t", window="", counter=counter, found=has_to_be + 1, ledger=has_to_be
    )
    assert found.differences == (off,)


@pytest.mark.usefixtures("busy")
async def test_the_overage_and_the_roll_ups_are_compared_too(
    redis: Redis, budgets: Budgets
) -> None:
    window = await _day(budgets)
    day = window.removeprefix("day:")
    await redis.hincrby(keyspace.overage(UPSTREAM), "overrun", -1)
    await redis.hincrby(usage_keys.usage(UPSTREAM, day), "u/q:billed", 1)

    found = await verify(redis, UPSTREAM)

    assert found.differences == (
        Difference(account="overage", window="", counter="overrun", found=29, ledger=30),
        Difference(account="u/q", window=window, counter="billed", found=61, ledger=60),
    )


@pytest.mark.usefixtures("busy")
async def test_a_job_that_was_closed_twice_is_named(redis: Redis) -> None:
    closing = await _first(redis)
    await redis.xadd(keyspace.ledger(UPSTREAM), closing)

    found = await verify(redis, UPSTREAM)

    assert Difference(account="a", window="", counter="closes", found=2, ledger=1) in (
        found.differences
    )


@pytest.mark.usefixtures("busy")
async def test_an_account_that_was_lost_is_missed(redis: Redis) -> None:
    await redis.delete(
        keyspace.account(UPSTREAM, Account("app", "u/q")), keyspace.accounts(UPSTREAM)
    )

    found = await verify(redis, UPSTREAM)

    assert {each.account for each in found.differences} == {"app:u/q"}


@pytest.mark.usefixtures("busy")
async def test_an_entry_of_an_unknown_kind_is_refused(redis: Redis) -> None:
    await redis.xadd(keyspace.ledger(UPSTREAM), {"kind": "gift"})

    with pytest.raises(EntryStrange, match="gift"):
        await verify(redis, UPSTREAM)


@pytest.mark.usefixtures("busy")
async def test_a_correction_counts_with_its_sign(redis: Redis, budgets: Budgets) -> None:
    closing = await _first(redis)
    kept = {name: closing[name] for name in ("job", "windows", "team", "app", "key")}
    fields: dict[Any, Any] = {
        **kept,
        "kind": "correction",
        "billed": "-40",
        "overrun": "-30",
        "why": "billing",
    }
    await redis.xadd(keyspace.ledger(UPSTREAM), fields)
    for charged in (ORGANISATION, TEAM, Account("app", "t/p"), Account("key", "k")):
        for window in closing["windows"].split(" "):
            await redis.hincrby(keyspace.account(UPSTREAM, charged), f"spent:{window}", -40)
    await redis.hincrby(keyspace.overage(UPSTREAM), "overrun", -30)
    rolled = usage_keys.usage(UPSTREAM, (await _day(budgets)).removeprefix("day:"))
    await redis.hincrby(rolled, "t/p:billed", -40)
    await redis.hincrby(rolled, "t/p:overrun", -30)

    found = await verify(redis, UPSTREAM)

    assert found.differences == ()


@pytest.mark.usefixtures("busy")
async def test_the_process_is_left_to_others_after_each_page(redis: Redis) -> None:
    took_s = []
    for rest_ms in (0, 200):
        began_s = time.monotonic()
        assert (await verify(redis, UPSTREAM, rest_ms=rest_ms)).differences == ()
        took_s.append(time.monotonic() - began_s)

    assert took_s[1] >= 0.2


class Restless(Redis):
    """A client before each of whose transactions somebody begins a purchase."""

    begin: Callable[[], Awaitable[Any]]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """One that is late."""
        begin = self.begin

        class Late(Pipeline):
            async def execute(self, raise_on_error: bool = True) -> list[Any]:
                await begin()
                return await super().execute(raise_on_error)

        return Late(self.connection_pool, self.response_callbacks, transaction, shard_hint)


async def test_purchases_that_begin_all_the_time_are_not_in_the_way(
    url: str, bring: Bring, order: Callable[..., Order]
) -> None:
    numbers = itertools.count()

    async def begin() -> None:
        number = next(numbers)
        await bring(order(f"n{number}", f"n{number}", held=1), "reserved")

    async with Restless.from_url(url, decode_responses=True) as redis:
        assert isinstance(redis, Restless)
        redis.begin = begin
        found = await verify(redis, UPSTREAM)

    assert found.differences == ()
    assert next(numbers) > 1


async def test_it_is_exact_while_purchases_go_on(
    redis: Redis,
    jobs: Jobs,
    order: Callable[..., Order],
    limit: Callable[..., Awaitable[None]],
) -> None:
    await limit(10**9, "day")
    await limit(10**9, "total")
    stop = asyncio.Event()
    bought = 0

    async def buy(worker: int) -> None:
        nonlocal bought
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{worker}-{number}"
            assert (
                await jobs.hold(order(name, name, team=f"t{worker}"), PoolVersion(), TERMS)
                == Held()
            )
            job = await jobs.read(name)
            assert job is not None
            await jobs.settle(job, Settlement(state="released", charge=number % 3))
            bought += 1

    async with asyncio.TaskGroup() as tasks:
        for worker in range(4):
            tasks.create_task(buy(worker))
        try:
            for _ in range(10):
                assert (await verify(redis, UPSTREAM)).differences == ()
        finally:
            # Not left to a cancellation, which a client of Redis may lose.
            stop.set()
    assert bought > 10
    assert (await verify(redis, UPSTREAM)).entries == bought

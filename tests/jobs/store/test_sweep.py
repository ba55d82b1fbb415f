"""Forgetting what ended long ago, and never what is open."""

from collections.abc import Awaitable, Callable
from typing import Any

from booked import booked
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.sweep import sweep
from falgate.jobs.verdicts import Held, PoolChanged
from falgate.redis import keyspace
from falgate.redis.script import Script

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Money = Callable[[], Awaitable[tuple[int, int, int]]]
Brings = Callable[..., Awaitable[Job]]
Everything = Callable[[], Awaitable[dict[str, Any]]]


async def test_an_old_job_is_forgotten_but_its_entry_and_its_money_stay(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis, money: Money
) -> None:
    await jobs.finish(await bring(order(), "paid"), (), None)
    ended_ms = await redis.zscore(keyspace.ended_jobs(UPSTREAM), "a")
    assert ended_ms is not None
    kept_until_ms = int(ended_ms) + keyspace.JOB_KEPT_S * 1000

    assert await sweep(redis, UPSTREAM, kept_until_ms) == 0
    assert await sweep(redis, UPSTREAM, kept_until_ms + 1) == 1

    assert await jobs.read("a") is None
    assert await redis.exists(keyspace.submits(UPSTREAM), keyspace.ended_jobs(UPSTREAM)) == 0
    assert [entry["job"] for entry in await booked(redis, UPSTREAM)] == ["a"]
    assert await money() == (60, 0, 0)


async def test_open_jobs_are_never_forgotten(
    order: Orders, bring: Brings, redis: Redis, everything: Everything
) -> None:
    await bring(order("a", "f"), "reserved")
    await bring(order("b", "g"), "submitting")
    await bring(order("c", "h"), "accepted")
    await bring(order("d", "i"), "paid")
    before = await everything()

    assert await sweep(redis, UPSTREAM, 10**14) == 0
    assert await everything() == before


async def test_the_script_itself_spares_jobs_that_are_open_or_young(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis, everything: Everything
) -> None:
    await bring(order("a", "f"), "paid")
    young = await bring(order("b", "g"), "submitting")
    await jobs.settle(young, Settlement(state="unknown", charge=100))
    before = await everything()

    forgotten = await Script("jobs_sweep")(
        redis,
        ended_jobs=keyspace.ended_jobs(UPSTREAM),
        submits=keyspace.submits(UPSTREAM),
        before_ms=await jobs.now_ms() - 60_000,
        more_keys=[keyspace.job("a"), keyspace.job("b")],
        more_args=["a", "b"],
    )

    assert forgotten == 0
    assert await everything() == before


async def test_a_marker_is_forgotten_when_its_time_is_over_by_rediss_clock(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis, everything: Everything
) -> None:
    await jobs.finish(await bring(order(), "paid"), (), PoolVersion(7, 1))
    until_ms = await redis.zscore(keyspace.MARKERS, "f")
    assert until_ms is not None
    assert 0 < until_ms - await jobs.now_ms() <= keyspace.MARKER_KEPT_S * 1000
    before = await everything()

    # A caller whose clock is ahead.
    assert await sweep(redis, UPSTREAM, int(until_ms) + 1) == 0
    assert await everything() == before
    assert await jobs.hold(order("b"), PoolVersion(), PurchaseLimits()) == PoolChanged(7, 1)
    await redis.zadd(keyspace.MARKERS, {"f": 1})
    assert await sweep(redis, UPSTREAM, await jobs.now_ms()) == 1
    assert await jobs.hold(order("b"), PoolVersion(), PurchaseLimits()) == Held()


async def test_an_old_marker_does_not_take_the_next_flight_with_it(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    await jobs.finish(await bring(order("a"), "paid"), (), PoolVersion(7, 1))
    assert await jobs.hold(order("b"), PoolVersion(7, 1), PurchaseLimits()) == Held()
    await redis.zadd(keyspace.MARKERS, {"f": 1})

    assert await sweep(redis, UPSTREAM, await jobs.now_ms()) == 1

    assert await redis.get(keyspace.flight("f")) == "open:b"
    assert await redis.exists(keyspace.MARKERS) == 0


async def test_many_are_forgotten_a_few_at_a_time(jobs: Jobs, order: Orders, redis: Redis) -> None:
    for number in range(102):
        assert (
            await jobs.hold(order(f"j{number}", "f", held=1), PoolVersion(), PurchaseLimits())
            == Held()
        )
        job = await jobs.read(f"j{number}")
        assert job is not None
        await jobs.settle(job, Settlement(state="released", charge=0))

    assert [await sweep(redis, UPSTREAM, 10**14) for _ in range(3)] == [100, 2, 0]
    assert await redis.exists(keyspace.ended_jobs(UPSTREAM)) == 0


async def test_nothing_to_forget_is_fine(redis: Redis, ledger_id: str) -> None:
    assert ledger_id
    assert await sweep(redis, UPSTREAM, 10**14) == 0

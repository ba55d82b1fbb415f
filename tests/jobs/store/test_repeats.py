"""Every step repeated, as after a lost reply: twice is once. And with no script in the cache."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.cache.store.pools import Pools
from falgate.jobs.job import Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.sweep import sweep
from falgate.jobs.verdicts import Denied, Held
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
Step = Callable[[Jobs, Job], Awaitable[Any]]

STEPS: dict[str, tuple[State, Step]] = {
    "hold": ("reserved", lambda jobs, job: jobs.hold(job.order, PoolVersion(), PurchaseLimits())),
    "mark": ("reserved", lambda jobs, job: jobs.mark(job)),
    "accept": ("submitting", lambda jobs, job: jobs.accept(job, "fal-1")),
    "renew": ("accepted", lambda jobs, job: jobs.renew(job)),
    "uncertain": ("accepted", lambda jobs, job: jobs.mark_uncertain(job, "lost")),
    "pay": ("accepted", lambda jobs, job: jobs.settle(job, Settlement(state="paid", charge=130))),
    "release": (
        "submitting",
        lambda jobs, job: jobs.settle(job, Settlement(state="released", charge=0)),
    ),
    "finish": ("paid", lambda jobs, job: jobs.finish(job, (), PoolVersion(7, 1))),
    "finish_unpublished": ("paid", lambda jobs, job: jobs.finish(job, (), None)),
}


@pytest.mark.parametrize("name", STEPS)
async def test_a_repeated_step_answers_the_same_and_changes_nothing(
    name: str, jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    state, step = STEPS[name]
    job = await bring(order(), state)
    first = await step(jobs, job)
    after_one = await everything()

    assert await step(jobs, job) == first
    assert await everything() == after_one


@pytest.mark.parametrize("name", ["pay", "finish"])
async def test_a_step_is_repeated_though_the_job_has_gone_on(
    name: str, jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    state, step = STEPS[name]
    job = await bring(order("a", "f"), state)
    await step(jobs, job)
    if name == "pay":
        await jobs.finish(job, (), PoolVersion(7, 1))
    assert await jobs.hold(order("b", "f"), PoolVersion(7, 1), PurchaseLimits()) == Held()
    after = await everything()

    await step(jobs, job)

    assert await everything() == after


async def test_an_adoption_asked_for_twice_happens_once(
    jobs: Jobs, jobs_of: Callable[..., Jobs], order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "accepted")
    await jobs.renew(job, lease_ms=0)
    other = jobs_of("two")
    assert await other.adopt("a", UPSTREAM)
    after_one = await everything()

    assert await other.adopt("a", UPSTREAM) is None
    assert await everything() == after_one


async def test_a_refused_hold_is_refused_again(
    jobs: Jobs, order: Orders, everything: Everything
) -> None:
    first = await jobs.hold(order(held=1_001), PoolVersion(), PurchaseLimits())
    before = await everything()

    assert isinstance(first, Denied)
    assert await jobs.hold(order(held=1_001), PoolVersion(), PurchaseLimits()) == first
    assert await everything() == before


async def test_every_script_is_sent_again_to_a_server_that_forgot_it(
    jobs_of: Callable[..., Jobs], order: Orders, redis: Redis, everything: Everything
) -> None:
    hasty, jobs, pools = jobs_of("one", lease_ms=0), jobs_of("two"), Pools(redis)
    held: list[Job] = []

    async def adopt() -> None:
        job = await jobs.adopt("a", UPSTREAM)
        assert job is not None
        held.append(job)

    async def settle() -> None:
        job = await jobs.read("a")
        assert job is not None
        held.append(job)
        await jobs.settle(job, Settlement(state="paid", charge=60))

    async def finish() -> None:
        job = await jobs.read("a")
        assert job is not None
        await jobs.finish(job, (), PoolVersion(7, 1))

    async def empty() -> None:
        await pools.empty("f")

    async def forget() -> None:
        await redis.zadd(keyspace.MARKERS, {"f": 1}, xx=True)
        assert await sweep(redis, UPSTREAM, 10**14) == 2

    steps: list[Callable[[], Awaitable[Any]]] = [
        lambda: hasty.hold(order(), PoolVersion(), PurchaseLimits()),
        adopt,
        lambda: jobs.mark(held[0]),
        lambda: jobs.accept(held[0], "fal-1"),
        lambda: jobs.renew(held[0]),
        lambda: jobs.mark_uncertain(held[0], "lost"),
        settle,
        lambda: pools.append("f", "a", 0, ()),
        empty,
        finish,
        forget,
    ]
    for step in steps:
        await redis.script_flush()
        before = await everything()
        await step()
        # Renewing moves a time only.
        assert await everything() != before or step is steps[4]


async def test_a_repeated_mark_is_written_again_for_the_barrier_behind_it(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    job = await bring(order(), "reserved")
    await jobs.mark(job)
    before = (await redis.info("persistence"))["rdb_changes_since_last_save"]

    await jobs.mark(job)

    assert (await redis.info("persistence"))["rdb_changes_since_last_save"] > before

"""A server whose memory is full: no money is taken, and what is under way can be ended."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.directory import Team
from falgate.accounts.limits import PurchaseLimits
from falgate.accounts.store.rates import Rates
from falgate.accounts.store.registry import Registry
from falgate.cache.pool import PoolVersion
from falgate.cache.store.pools import Pools
from falgate.core.errors import Unavailable
from falgate.core.picture import Picture
from falgate.fal.progress import Progress
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.jobs.store.sweep import sweep
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
PICTURE = Picture(
    sha256="5" * 64, content_type="image/png", size_bytes=9, width=1, height=1, made_s=7
)


@pytest.fixture
async def fill(redis: Redis) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Leaves the server no memory from then on."""
    yield lambda: redis.config_set("maxmemory", 1)
    await redis.config_set("maxmemory", 0)


Fill = Callable[[], Awaitable[object]]


async def test_a_hold_is_refused_as_a_whole(
    jobs: Jobs, order: Orders, fill: Fill, everything: Everything
) -> None:
    before = await everything()
    await fill()

    with pytest.raises(Unavailable, match="memory limit"):
        await jobs.hold(order(), PoolVersion(), PurchaseLimits())
    assert await everything() == before


async def test_what_is_under_way_is_carried_to_its_end(
    jobs: Jobs,
    order: Orders,
    bring: Brings,
    fill: Fill,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    job = await bring(order(), "reserved")
    await fill()

    await jobs.mark(job)
    assert await jobs.renew(job)
    marked = await jobs.read("a")
    assert marked is not None
    await jobs.mark_uncertain(marked, "lost")
    assert await jobs.accept(marked, "fal-1")
    accepted = await jobs.read("a")
    assert accepted is not None
    await jobs.settle(accepted, Settlement(state="paid", charge=130), {"images": []})
    paid = await jobs.read("a")
    assert paid is not None
    await jobs.finish(paid, (PICTURE,), PoolVersion(7, 1))

    finished = await jobs.read("a")
    assert finished is not None
    assert finished.state == "finished"
    assert await money() == (100, 0, 30)


async def test_a_dead_owners_job_is_adopted_and_released(
    jobs: Jobs, jobs_of: Callable[..., Jobs], order: Orders, bring: Brings, fill: Fill
) -> None:
    job = await bring(order(), "reserved")
    other = jobs_of("two")
    await fill()

    await jobs.renew(job, lease_ms=0)
    adopted = await other.adopt("a", UPSTREAM)
    assert adopted is not None
    await other.settle(adopted, Settlement(state="released", charge=0))

    released = await jobs.read("a")
    assert released is not None
    assert released.state == "released"


async def test_memory_is_freed_by_sweeping(
    jobs: Jobs, order: Orders, bring: Brings, fill: Fill, redis: Redis
) -> None:
    await jobs.finish(await bring(order(), "paid"), (), PoolVersion(7, 1))
    await redis.zadd(keyspace.MARKERS, {"f": 1})
    await fill()

    assert await sweep(redis, UPSTREAM, 10**14) == 2

    assert await redis.exists(keyspace.job("a"), keyspace.flight("f"), keyspace.MARKERS) == 0


async def test_a_pool_takes_what_is_paid_for_and_loses_lost_ones(redis: Redis, fill: Fill) -> None:
    pools = Pools(redis)
    await pools.append("f", "a", 0, (PICTURE,))
    pool = await pools.read("f")
    await fill()

    assert await pools.append("f", "b", pool.generation, (PICTURE,)) == PoolVersion(
        pool.generation, 1
    )
    await pools.remove("f", {PICTURE.sha256})

    assert (await pools.read("f")).pictures == ()


async def test_kept_requests_are_looked_after_and_the_pace_is_counted(
    redis: Redis, fill: Fill
) -> None:
    requests = Requests(redis, lease_ms=30_000, kept_s=60)
    await redis.zadd(keyspace.pending(UPSTREAM), {"r": 1})
    await fill()

    await requests.renew(UPSTREAM, ["r", "gone"], lease_ms=60_000)
    await requests.tell("a", Progress(phase="IN_PROGRESS"))
    assert await requests.look("r", UPSTREAM) is None
    assert await Rates(redis).take({"team:web": 5}) is None

    assert await redis.zscore(keyspace.pending(UPSTREAM), "gone") is None
    assert await redis.zcount(keyspace.pending(UPSTREAM), 60_000, "inf") == 1
    progress = await requests.progress("a")
    assert progress is not None
    assert progress.phase == "IN_PROGRESS"


async def test_operators_can_still_act(redis: Redis, fill: Fill) -> None:
    registry = Registry(redis)
    await fill()

    assert await registry.put_team("web", None, Team(), "tests")
    assert "web" in (await registry.directory()).teams

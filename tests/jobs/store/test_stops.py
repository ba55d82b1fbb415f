"""Stops in the script that holds money: what a refused hold leaves, on every instance."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.stop import Stop, Stopped, stoppable
from falgate.money.store.stops import Stops
from falgate.redis import keyspace

Orders = Callable[..., Order]
Everything = Callable[[], Awaitable[dict[str, Any]]]
NEW, TERMS = PoolVersion(), PurchaseLimits()
STOP = Stop(who="w", stopped_s=1, why='"{quoted}" and \u00fcmlaut')


@pytest.mark.parametrize("at", range(4))
async def test_a_refused_hold_leaves_nothing_on_any_instance(
    at: int, jobs_of: Callable[..., Jobs], order: Orders, redis: Redis, everything: Everything
) -> None:
    subject = stoppable(order().accounts)[at]
    await Stops(redis).put(subject, None, STOP, "w")
    before = await everything()

    for owner in ("one", "two"):
        assert await jobs_of(owner).hold(order(), NEW, TERMS) == Stopped(subject, STOP)

    assert await everything() == before
    await Stops(redis).put(subject, STOP, None, "w")
    assert await jobs_of("two").hold(order(), NEW, TERMS) == Held()


async def test_a_purchase_under_way_keeps_its_hold_and_is_settled_once(
    jobs: Jobs,
    order: Orders,
    bring: Callable[..., Awaitable[Job]],
    redis: Redis,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    await bring(order("a", "f"), "accepted")
    for subject in stoppable(order().accounts):
        await Stops(redis).put(subject, None, STOP, "w")

    assert await jobs.hold(order("a", "f"), NEW, TERMS) == Held()
    assert isinstance(await jobs.hold(order("b", "g"), NEW, TERMS), Stopped)
    assert await money() == (0, 100, 0)


async def test_what_cannot_be_read_as_a_stop_holds_nothing(
    jobs: Jobs, order: Orders, redis: Redis, everything: Everything
) -> None:
    await redis.set(keyspace.STOPS, "no hash")
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.hold(order(), NEW, TERMS)
    assert await everything() == before
    await redis.delete(keyspace.STOPS)

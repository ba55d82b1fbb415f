"""A job's record says when it came to each step, by Redis's clock, and which entry closed it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace

Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
STEPS = ("began_ms", "slot_ms", "submitted_ms", "accepted_ms", "settled_ms", "finished_ms")


@pytest.mark.parametrize(
    ("state", "known"),
    [("reserved", 1), ("submitting", 3), ("accepted", 4), ("paid", 5), ("finished", 6)],
)
async def test_each_step_is_noted_when_it_is_made(
    *, state: State, known: int, jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    job = await bring(order(), "paid" if state == "finished" else state)
    if state == "finished":
        await jobs.finish(job, (), PoolVersion(7, 1))

    fields: Any = await redis.hgetall(keyspace.job(job.order.id))

    times = [int(fields[step]) for step in STEPS[:known]]
    assert times == sorted(times)
    assert times[-1] <= await jobs.now_ms()
    assert not set(fields).intersection(STEPS[known:])


async def test_its_closing_entry_is_found_by_its_record(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    job = await bring(order(), "submitting")
    for _ in range(2):
        await jobs.settle(job, Settlement(state="released", charge=0))

    entry: Any = await redis.hget(keyspace.job(job.order.id), "entry")

    found: Any = await redis.xrange(keyspace.ledger(job.order.upstream), entry, entry)
    ((_, closing),) = found
    assert (closing["kind"], closing["job"]) == ("close", job.order.id)

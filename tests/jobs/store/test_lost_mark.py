"""A job whose mark Redis has lost, and whose request then comes to light."""

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from falgate.jobs.job import Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace


async def test_an_id_for_a_job_whose_mark_was_lost_makes_it_accepted(
    jobs: Jobs, order: Callable[..., Order], bring: Callable[..., Awaitable[Job]], redis: Redis
) -> None:
    job = await bring(order(), "reserved")

    assert await jobs.accept(job, "fal-a")

    read = await jobs.read("a")
    assert read is not None
    assert (read.state, read.request_id) == ("accepted", "fal-a")
    assert read.submitted_ms > 0
    for account in job.order.accounts:
        key = keyspace.account(job.order.upstream, account)
        assert await redis.hmget(key, ["open", "waiting"]) == ["1", "0"]

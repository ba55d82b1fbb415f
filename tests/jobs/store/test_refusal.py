"""What fal said when it refused: for those who wait now, and not for long."""

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace

Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]


async def test_a_refusal_that_may_quote_the_prompt_goes_soon(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    quoting = FalAnswer(422, {"detail": [{"input": "a secret wish"}]}, {})
    refused = Settlement(state="refused", charge=0, answer=quoting)
    await jobs.settle(await bring(order(), "accepted"), refused)

    read = await jobs.read("a")
    assert read is not None
    assert read.answer == quoting
    assert 0 < await redis.ttl(keyspace.refusal("a")) <= 600
    assert "a secret wish" not in str(await redis.hgetall(keyspace.job("a")))

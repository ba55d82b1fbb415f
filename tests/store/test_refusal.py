"""What fal said when it refused: for those who wait now, and not for long."""

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from falgate.core.job import Answer, Job, Order
from falgate.core.outcome import Settlement
from falgate.store import _keys
from falgate.store.jobs import Jobs

Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]


async def test_a_refusal_that_may_quote_the_prompt_goes_soon(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    quoting = Answer(422, {"detail": [{"input": "a secret wish"}]}, {})
    refused = Settlement(state="refused", charge=0, answer=quoting)
    await jobs.settle(await bring(order(), "accepted"), refused)

    read = await jobs.read("a")
    assert read is not None
    assert read.answer == quoting
    assert 0 < await redis.ttl(_keys.refusal("a")) <= 600
    assert "a secret wish" not in str(await redis.hgetall(_keys.job("a")))

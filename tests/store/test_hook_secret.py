"""The secret of the hooks' addresses: one for each ledger, whoever asks first."""

import asyncio

from redis.asyncio import Redis

from falgate.store.hooks import hook_secret


async def test_a_ledger_has_one_secret(redis: Redis) -> None:
    first, *others = await asyncio.gather(*(hook_secret(redis) for _ in range(5)))

    assert others == [first] * 4
    assert len(first) == 32
    assert first == await hook_secret(redis)


async def test_another_ledger_has_another(redis: Redis) -> None:
    first = await hook_secret(redis)
    await redis.flushall()

    assert await hook_secret(redis) != first

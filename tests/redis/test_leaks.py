"""The check behind every test here, that Redis holds only what is listed: it can fail."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

EXPIRING = "redis.call('HSET', KEYS[1], 'a', 1) redis.call('EXPIRE', KEYS[1], 60)"
PLANTED = {
    "unknown_family": ("{fg}:purse:x", "redis.call('SET', KEYS[1], 1)", "no such family"),
    "not_ours": ("purse", "redis.call('SET', KEYS[1], 1)", "no such family"),
    "money_that_expires": ("{fg}:account:x", EXPIRING, "expires, and is kept for ever"),
    "job_that_expires": (
        "{fg}:job:x",
        EXPIRING,
        "expires, and is kept until swept JOB_KEPT_S after its end",
    ),
    "refusal_that_does_not": (
        "{fg}:refusal:x",
        "redis.call('SET', KEYS[1], 1)",
        "does not expire, and is kept for REFUSAL_KEPT_S",
    ),
    "other_type": ("{fg}:ledger:x", "redis.call('SET', KEYS[1], 1)", "a string, not a stream"),
}


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_key_is_seen(
    name: str, redis: Redis, leaks: Callable[[], Awaitable[list[str]]]
) -> None:
    key, script, complaint = PLANTED[name]

    await redis.eval(script, 1, key)

    assert await leaks() == [f"{key}: {complaint}"]
    await redis.flushall()
    assert await leaks() == []

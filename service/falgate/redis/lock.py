"""Locks in Redis: what one instance does for all of them.

A lock is a lease: it is free again when its time is over, whatever became of its taker. What is
done under one must do no harm if two do it.
"""

from redis.asyncio import Redis


async def take(redis: Redis, key: str, owner: str, lease_ms: int) -> bool:
    """Take a lock for `lease_ms`; return False if somebody has it.

    Raises:
        Unavailable: Without Redis.
    """
    return bool(await redis.set(key, owner, nx=True, px=lease_ms))

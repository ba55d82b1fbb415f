"""All that a Redis holds, as text; its own dumps are compressed, and hide what is looked for."""

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis


async def contents(redis: Redis) -> dict[str, Any]:
    """The content of every key but the times in it."""
    read: dict[Any, Callable[[str], Any]] = {
        "hash": redis.hgetall,
        "zset": lambda key: redis.zrange(key, 0, -1),
        "string": redis.get,
        "set": redis.smembers,
        "stream": redis.xrange,
    }
    keys = sorted([key async for key in redis.scan_iter(count=1000)])
    return {key: await read[await redis.type(key)](key) for key in keys}


async def found(redis: Redis, *texts: str) -> list[str]:
    """Keys in whose names or contents one of these texts stands."""
    everything = (await contents(redis)).items()
    return [key for key, held in everything if any(text in f"{key} {held}" for text in texts)]

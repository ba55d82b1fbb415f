"""Wake-ups: jobs that ended or are in trouble, as all instances tell each other."""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from falgate.store import _keys

_PAUSE_S = 0.5


async def listen(redis: Redis, wake: Callable[[str], None]) -> None:
    """Call `wake` with a job's id for each message, until cancelled.

    Messages may be lost, with the connection for instance: who waits also looks by itself.
    """
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(_keys.WAKE)
                async for message in subscription.listen():
                    if message["type"] == "message":
                        wake(message["data"])
        except (RedisError, OSError):
            await asyncio.sleep(_PAUSE_S)

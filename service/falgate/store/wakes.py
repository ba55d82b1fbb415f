"""Wake-ups: jobs that ended or are in trouble, as all instances tell each other."""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from falgate.store import _keys

_PAUSE_S = 0.5


async def listen(redis: Redis, wake: Callable[[str], None], missed: Callable[[], None]) -> None:
    """Call `wake` with the id in each message, until cancelled.

    Messages are lost with the connection: `missed` is called whenever it was made (again). And who
    waits also looks by itself.
    """
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(_keys.WAKE)
                async for message in subscription.listen():
                    if message["type"] == "subscribe":
                        # redis-py makes a lost connection again by itself, and subscribes anew.
                        missed()
                    elif message["type"] == "message":
                        wake(message["data"])
        except (RedisError, OSError):
            await asyncio.sleep(_PAUSE_S)

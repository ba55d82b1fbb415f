"""Wake-ups: jobs that ended or are in trouble, as all instances tell each other."""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from falgate.redis import keyspace

_PAUSE_S = 0.5


async def listen(
    redis: Redis,
    wake: Callable[[str], None],
    moved: Callable[[str], None],
    missed: Callable[[], None],
) -> None:
    """Call `wake` or `moved` with the id in each message, until cancelled.

    Args:
        redis: Where.
        wake: Told of jobs that ended or are in trouble, and of requests that ended.
        moved: Told of jobs that got a slot, or of which fal said how far they are.
        missed: Called whenever the connection was made (again): messages are lost with it. Whoever
            waits looks by itself, too.
    """
    called = {keyspace.WAKE: wake, keyspace.MOVED: moved}
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(*called)
                async for message in subscription.listen():
                    if message["type"] == "subscribe":
                        # redis-py makes a lost connection again by itself, and subscribes anew.
                        if message["channel"] == keyspace.MOVED:  # the last of both
                            missed()
                    elif message["type"] == "message":
                        called[message["channel"]](message["data"])
        except (RedisError, OSError):
            await asyncio.sleep(_PAUSE_S)

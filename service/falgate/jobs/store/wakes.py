"""Wake-ups between instances, by Redis pub/sub: which jobs and requests have changed."""

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
        redis: The client.
        wake: Called for jobs that ended or are in trouble, and for requests that ended.
        moved: Called for jobs that got a slot, or whose progress fal reported.
        missed: Called whenever a connection was made: messages before that may be lost. Waiters
            also look by themselves.
    """
    called = {keyspace.WAKE: wake, keyspace.MOVED: moved}
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(*called)
                async for message in subscription.listen():
                    if message["type"] == "subscribe":
                        # redis-py reconnects by itself, and subscribes again.
                        if message["channel"] == keyspace.MOVED:  # subscribed to both
                            missed()
                    elif message["type"] == "message":
                        called[message["channel"]](message["data"])
        except (RedisError, OSError):
            await asyncio.sleep(_PAUSE_S)

"""Rights: whether falgate's user of Redis may do what a purchase needs, before there is one.

Where a right is missing, a gateway would start and fail in the middle: a script that may not run
one of its commands has run those before it. Nothing is changed by looking.
"""

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_RENEW = Script("requests_renew")
_NOBODY = "rights"
"""The upstream, the request and the pool of nobody."""


async def check_rights(redis: Redis) -> None:
    """Nothing, where scripts may be run, both kinds of keys read and written, and callers woken.

    Raises:
        Unavailable: They may not; why.
    """
    pending, pool = keyspace.pending(_NOBODY), keyspace.pool(_NOBODY)
    with translate_errors():
        await redis.time()
        # By its hash, and by its text as where the server does not know it. It would look after a
        # request that is there.
        await _RENEW(redis, pending=pending, lease_ms=1, more_args=[_NOBODY])
        async with redis.pipeline(transaction=True) as pipeline:
            _RENEW.queue(pipeline, pending=pending, lease_ms=1)
            pipeline.hget(keyspace.META, _NOBODY)
            pipeline.hdel(keyspace.META, _NOBODY)
            pipeline.publish(keyspace.WAKE, "")
            await pipeline.execute()
        await redis.hget(pool, _NOBODY)
        await redis.hdel(pool, _NOBODY)

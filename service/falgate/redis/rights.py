"""Checks that falgate's Redis user has the rights that a purchase needs, before there is one.

Without them a gateway would start and fail in the middle of a purchase: a script that is denied one
of its commands has already executed those before it. The check changes nothing.
"""

from redis.asyncio import Redis

from falgate.redis import keyspace, picture_keys
from falgate.redis.script import Script

_RENEW = Script("requests_renew")
_NOBODY = "rights"
"""Name of an upstream, request, pool, picture and account that do not exist."""


async def check_rights(redis: Redis) -> None:
    """Check that scripts may run, all keys may be read and written, and callers may be notified.

    Raises:
        Unavailable: A right is missing; the message names it.
    """
    pending = keyspace.pending(_NOBODY)
    others = (
        picture_keys.pool(_NOBODY),
        picture_keys.picture(_NOBODY),
        keyspace.rate(_NOBODY),
    )
    await redis.time()
    # Run a script by its hash and by its text, as on a server that does not know it yet. It
    # would renew the lease of a request, but this one does not exist.
    await _RENEW(redis, pending=pending, lease_ms=1, more_args=[_NOBODY])
    async with redis.pipeline(transaction=True) as pipeline:
        _RENEW.queue(pipeline, pending=pending, lease_ms=1)
        pipeline.hget(keyspace.META, _NOBODY)
        pipeline.hdel(keyspace.META, _NOBODY)
        pipeline.publish(keyspace.WAKE, "")
        await pipeline.execute()
    for key in others:
        await redis.hget(key, _NOBODY)
        await redis.hdel(key, _NOBODY)

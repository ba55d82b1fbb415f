"""Pools, read on the connection on which Redis tells of their changes."""

from falgate.cache.store.pools import FIELDS, pool_of
from falgate.core.picture import Pool
from falgate.redis import picture_keys
from falgate.redis.clock import Clock
from falgate.redis.tracking import Tracking


class TrackedPools:
    """Reads pools for values that are kept in memory until the pool changes."""

    def __init__(self, tracking: Tracking, clock: Clock) -> None:
        """Read by `tracking`, as of Redis's `clock`."""
        self._tracking = tracking
        self._clock = clock

    def depends_on(self, fingerprint: str) -> bytes:
        """Return the name of what `read` reads."""
        return picture_keys.pool(fingerprint).encode()

    async def read(self, fingerprint: str) -> Pool:
        """Return a pool; an empty one if there is none; raises `Unavailable` without Redis."""
        generation, pictures = await self._tracking.ask(
            "HMGET", picture_keys.pool(fingerprint), *FIELDS
        )
        text = None if pictures is None else pictures.decode()
        return pool_of(generation, text, self._clock.now_s())

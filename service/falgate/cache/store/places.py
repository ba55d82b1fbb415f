"""Places in Redis: which pictures of a pool are assigned to which open request of an app."""

from collections.abc import Sequence

from redis.asyncio import Redis

from falgate.cache.pool import AppPool
from falgate.core.picture import Picture
from falgate.redis import keyspace
from falgate.redis.script import Script

_TAKE = Script("places_take")
_KEEP = Script("places_keep")


class Places:
    """The places of one ledger's requests. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(
        self,
        pool: AppPool,
        request_id: str,
        pictures: Sequence[Picture],
        wanted: int,
        *,
        lease_ms: int,
    ) -> tuple[Picture, ...]:
        """Assign up to `wanted` of these pictures that no other request has, keeping their order.

        The request has them for a lease; pictures that it had before and does not get again are
        free. Pictures of its own job stay assigned to it.
        """
        if not pictures:
            return ()
        taken = await _TAKE(
            self._redis,
            places=keyspace.places(pool.app, pool.fingerprint),
            request_id=request_id,
            wanted=wanted,
            lease_ms=lease_ms,
            kept_s=keyspace.PLACES_KEPT_S,
            more_args=[part for each in pictures for part in (each.sha256, _of(each))],
        )
        return tuple(pictures[at] for at in taken)

    async def free(
        self, pool: AppPool, pictures: Sequence[Picture], wanted: int
    ) -> tuple[Picture, ...]:
        """Return the pictures that a request would get now; nothing is assigned."""
        return await self.take(pool, "", pictures, wanted, lease_ms=0)

    async def keep(self, pool: AppPool, request_ids: Sequence[str], *, lease_ms: int) -> None:
        """Renew what these requests have for another lease; with 0 ms it is free at once."""
        await self._keep(pool, request_ids, lease_ms)

    async def follow(self, pool: AppPool, request_id: str, *, lease_ms: int) -> None:
        """Renew what a queued request has, or had and nobody else took, while it is open."""
        await self._keep(pool, (request_id,), lease_ms, keyspace.request(request_id))

    async def _keep(
        self, pool: AppPool, request_ids: Sequence[str], lease_ms: int, *kept: str
    ) -> None:
        await _KEEP(
            self._redis,
            places=keyspace.places(pool.app, pool.fingerprint),
            lease_ms=lease_ms,
            more_keys=kept,
            more_args=request_ids,
        )


def _of(picture: Picture) -> str:
    """Return the origin that a picture counts as: its job's id, or its master's hash."""
    return picture.job or picture.master.partition(".")[0]

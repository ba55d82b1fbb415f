"""Places: which pictures of a pool the requests under way of an app have."""

from collections.abc import Sequence

from redis.asyncio import Redis

from falgate.cache.pool import AppPool
from falgate.core.picture import Picture
from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_TAKE = Script("places_take")
_KEEP = Script("places_keep")


class Places:
    """All places of one ledger's requests. All methods raise `Unavailable` without Redis."""

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
        """Of these, up to so many that no other request has, in their order.

        They are the request's own for a lease; what it had taken before is not any more. What a job
        brought for it stays its own.
        """
        if not pictures:
            return ()
        with translate_errors():
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
        """Those that a request would get now; nothing is taken."""
        return await self.take(pool, "", pictures, wanted, lease_ms=0)

    async def keep(self, pool: AppPool, request_ids: Sequence[str], *, lease_ms: int) -> None:
        """What these requests have is theirs for another lease; for 0: anybody's."""
        await self._keep(pool, request_ids, lease_ms)

    async def follow(self, pool: AppPool, request_id: str, *, lease_ms: int) -> None:
        """What a kept request has, or had and nobody else has now, is its own while it is open."""
        await self._keep(pool, (request_id,), lease_ms, keyspace.request(request_id))

    async def _keep(
        self, pool: AppPool, request_ids: Sequence[str], lease_ms: int, *kept: str
    ) -> None:
        with translate_errors():
            await _KEEP(
                self._redis,
                places=keyspace.places(pool.app, pool.fingerprint),
                lease_ms=lease_ms,
                more_keys=kept,
                more_args=request_ids,
            )


def _of(picture: Picture) -> str:
    """What a picture came of, and counts as: a purchase, or the hash of what it was made from."""
    return picture.job or picture.master.partition(".")[0]

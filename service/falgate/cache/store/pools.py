"""Pools in Redis: the pictures of each fingerprint."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.core.picture import Picture, Pool
from falgate.redis import keyspace, picture_keys
from falgate.redis.script import Script

_APPEND = Script("pools_append")
_RENEW = Script("pools_renew")
_REMOVE = Script("pools_remove")
_KEEP = Script("pools_keep")

FIELDS = ("generation", "pictures")
"""The fields of a pool's hash."""


class Pools:
    """The pools in one Redis. All methods raise `Unavailable` without it."""

    def __init__(self, redis: Redis) -> None:
        """Store pools in this Redis."""
        self._redis = redis

    async def read(self, fingerprint: str) -> Pool:
        """Return a pool; an empty one if there is none.

        Raises:
            Unavailable: Without Redis. If the pool counted as empty instead, its pictures would be
                bought again if Redis is back in time for the hold.
        """
        (pool,) = await self.read_all((fingerprint,))
        return pool

    async def read_all(self, fingerprints: Sequence[str]) -> list[Pool]:
        """Return several pools, read in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for fingerprint in fingerprints:
                pipeline.hmget(picture_keys.pool(fingerprint), FIELDS)
            pipeline.time()
            *found, (seconds, _) = await pipeline.execute()
        return [pool_of(generation, pictures, int(seconds)) for generation, pictures in found]

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Add what a job bought; return None if the pool has another generation by now.

        A repetition adds nothing.
        """
        return await self._publish(_APPEND, fingerprint, job_id, generation, pictures)

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Replace all pictures by those of a job, which begins the next generation.

        Return None, and change nothing, if the pool has another generation by now. A repetition
        changes nothing either.
        """
        return await self._publish(_RENEW, fingerprint, job_id, generation, pictures)

    async def _publish(
        self,
        script: Script,
        fingerprint: str,
        job_id: str,
        generation: int,
        pictures: Sequence[Picture],
    ) -> PoolVersion | None:
        reply = await script(
            self._redis,
            pool=picture_keys.pool(fingerprint),
            job_id=job_id,
            generation=generation,
            more_args=[msgspec.json.encode(picture).decode() for picture in pictures],
        )
        return PoolVersion(int(reply[0]), int(reply[1])) if reply else None

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        """Remove pictures from a pool, which begins its next generation; return how many it had."""
        return await self._remove(fingerprint, hashes, "0")

    async def empty(self, fingerprint: str) -> int:
        """Remove all pictures and keep out purchases under way; return how many pictures it had."""
        return await self._remove(fingerprint, (), "1")

    async def _remove(self, fingerprint: str, hashes: Collection[str], every: str) -> int:
        return int(
            await _REMOVE(
                self._redis,
                pool=picture_keys.pool(fingerprint),
                all=every,
                emptied_s=keyspace.EMPTIED_S,
                more_args=sorted(hashes),
            )
        )

    async def keep(
        self, fingerprint: str, hashes: Collection[str], until_s: int, *, pinned: bool = False
    ) -> int:
        """Serve these pictures of a pool until `until_s`, in seconds since 1970; 0 is for ever.

        Pictures that are kept for ever stay so unless `pinned` is set. Return how many were
        changed.
        """
        return int(
            await _KEEP(
                self._redis,
                pool=picture_keys.pool(fingerprint),
                until_s=until_s,
                over=int(pinned),
                more_args=sorted(hashes),
            )
        )


def pool_of(generation: Any, pictures: Any, read_s: int) -> Pool:
    """Return a pool whose hash has these fields, as read at `read_s`, Redis time in seconds."""
    if generation is None:
        return Pool(read_s=read_s)
    listed = msgspec.json.decode(f"[{pictures}]", type=tuple[Picture, ...])
    return Pool(int(generation), listed, read_s)

"""Pools: the pictures kept for each fingerprint."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.core.picture import Picture, Pool
from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_APPEND = Script("pools_append")
_RENEW = Script("pools_renew")
_REMOVE = Script("pools_remove")
_KEEP = Script("pools_keep")


class Pools:
    """Every pool of one Redis. All methods raise `Unavailable` without it."""

    def __init__(self, redis: Redis) -> None:
        """Keep them in this Redis."""
        self._redis = redis

    async def read(self, fingerprint: str) -> Pool:
        """A pool, empty where there is none.

        Raises:
            Unavailable: Without Redis. Taking it for empty would buy what is there, as soon as
                Redis is back for the hold.
        """
        (pool,) = await self.read_all((fingerprint,))
        return pool

    async def read_all(self, fingerprints: Sequence[str]) -> list[Pool]:
        """Several, in one trip."""
        with translate_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for fingerprint in fingerprints:
                    pipeline.hmget(keyspace.pool(fingerprint), ["generation", "pictures"])
                pipeline.time()
                *found, (seconds, _) = await pipeline.execute()
        return [_pool(generation, pictures, int(seconds)) for generation, pictures in found]

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Add what a job bought; None when the pool has moved on to another generation.

        A repeat adds nothing twice.
        """
        return await self._publish(_APPEND, fingerprint, job_id, generation, pictures)

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Put what a job bought in the place of all that was there, as the next generation.

        None, and nothing happens, when the pool has moved on to another generation. A repeat
        changes nothing twice.
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
        with translate_errors():
            reply = await script(
                self._redis,
                pool=keyspace.pool(fingerprint),
                job_id=job_id,
                generation=generation,
                more_args=[msgspec.json.encode(picture).decode() for picture in pictures],
            )
        return PoolVersion(int(reply[0]), int(reply[1])) if reply else None

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        """Take these pictures out of a pool, which begins its next generation; how many it had."""
        return await self._remove(fingerprint, hashes, "0")

    async def empty(self, fingerprint: str) -> int:
        """Take every picture out, and what is on its way into it too; how many it had."""
        return await self._remove(fingerprint, (), "1")

    async def _remove(self, fingerprint: str, hashes: Collection[str], every: str) -> int:
        with translate_errors():
            return int(
                await _REMOVE(
                    self._redis,
                    pool=keyspace.pool(fingerprint),
                    all=every,
                    emptied_s=keyspace.EMPTIED_S,
                    more_args=sorted(hashes),
                )
            )

    async def keep(
        self, fingerprint: str, hashes: Collection[str], until_s: int, *, pinned: bool = False
    ) -> int:
        """Hand these pictures of a pool out until then, seconds since 1970; 0: for ever.

        Those that are kept for ever already stay so, unless they may be `pinned` too. How many of
        them were changed.
        """
        with translate_errors():
            return int(
                await _KEEP(
                    self._redis,
                    pool=keyspace.pool(fingerprint),
                    until_s=until_s,
                    over=int(pinned),
                    more_args=sorted(hashes),
                )
            )


def _pool(generation: Any, pictures: Any, read_s: int) -> Pool:
    if generation is None:
        return Pool(read_s=read_s)
    listed = msgspec.json.decode(f"[{pictures}]", type=tuple[Picture, ...])
    return Pool(int(generation), listed, read_s)

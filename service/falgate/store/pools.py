"""Pools: the pictures kept for each fingerprint."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.claim import Seen
from falgate.core.picture import Picture, Pool
from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store._script import Script

_APPEND = Script("pools_append")
_RENEW = Script("pools_renew")
_REPLACE = Script("pools_replace")


class Pools:
    """Every pool of one Redis."""

    def __init__(self, redis: Redis, *, ttl_s: int) -> None:
        """Keep a pool for `ttl_s` after its last purchase."""
        self._redis = redis
        self._ttl_s = ttl_s

    async def read(self, fingerprint: str) -> Pool:
        """A pool, empty where there is none.

        Raises:
            Unavailable: Without Redis. Taking it for empty would buy what is there, as soon as
                Redis is back for the hold.
        """
        generation: Any
        pictures: Any
        with reaching():
            generation, pictures = await self._redis.hmget(
                _keys.pool(fingerprint), ["generation", "pictures"]
            )
        if generation is None:
            return Pool()
        listed = msgspec.json.decode(f"[{pictures}]", type=tuple[Picture, ...])
        return Pool(int(generation), listed)

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> Seen | None:
        """Add what a job bought; None when the pool has moved on to another generation.

        Raises:
            Unavailable: Without Redis; then the caller repeats it, which adds nothing twice.
        """
        return await self._publish(_APPEND, fingerprint, job_id, generation, pictures)

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> None:
        """Put what a job bought in the place of all that was there, as the next generation.

        Nothing happens when the pool has moved on to another generation.

        Raises:
            Unavailable: Without Redis; then the caller repeats it, which changes nothing twice.
        """
        await self._publish(_RENEW, fingerprint, job_id, generation, pictures)

    async def _publish(
        self,
        script: Script,
        fingerprint: str,
        job_id: str,
        generation: int,
        pictures: Sequence[Picture],
    ) -> Seen | None:
        pairs = [
            part
            for picture in pictures
            for part in (picture.sha256, msgspec.json.encode(picture).decode())
        ]
        with reaching():
            reply = await script(
                self._redis,
                pool=_keys.pool(fingerprint),
                job_id=job_id,
                generation=generation,
                ttl_s=self._ttl_s,
                more_args=pairs,
            )
        return Seen(int(reply[0]), int(reply[1])) if reply else None

    async def replace(self, fingerprint: str, read: Pool, pictures: Sequence[Picture]) -> None:
        """Keep only these of the pictures that were read, unless the pool has changed since.

        Raises:
            Unavailable: Without Redis.
        """
        with reaching():
            await _REPLACE(
                self._redis,
                pool=_keys.pool(fingerprint),
                generation=read.generation,
                count=len(read.pictures),
                pictures=",".join(msgspec.json.encode(picture).decode() for picture in pictures),
                new_count=len(pictures),
            )

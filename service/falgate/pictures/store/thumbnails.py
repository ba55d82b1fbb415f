"""Which thumbnails are being stored, so that none outlives its picture."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from falgate.redis import picture_keys
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_BEGIN = Script("thumbnails_begin")
_END = Script("thumbnails_end")
_AT_ONCE = 100


class ThumbnailRegister:
    """Thumbnails under way. Methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Register them in this Redis."""
        self._redis = redis

    async def begin(self, name: str) -> bool:
        """Note that a picture's thumbnail will be stored; return False if the picture is going."""
        return bool(await _BEGIN(self._redis, picture=picture_keys.picture(name), name=name))

    async def end(self, name: str, holds: Sequence[str]) -> bool:
        """Note that it is stored, and what metadata the picture's file has.

        Return False if the picture is going or gone: then the thumbnail has to go too.
        """
        reply = await _END(
            self._redis,
            picture=picture_keys.picture(name),
            name=name,
            holds=" ".join(holds),
        )
        return bool(reply)

    async def forget(self, name: str) -> None:
        """Note that no thumbnail of a picture is being stored."""
        await self._redis.zrem(picture_keys.THUMBNAILS, name)

    async def stale(self, age_ms: int) -> list[str]:
        """Return pictures without a record whose thumbnails began to be stored so long ago.

        Those that have a record are forgotten: their thumbnails are deleted with them.
        """
        before_ms = await now_ms(self._redis) - age_ms
        names: Any = await self._redis.zrangebyscore(
            picture_keys.THUMBNAILS, 0, before_ms, start=0, num=_AT_ONCE
        )
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.exists(picture_keys.picture(name))
            there: Any = await pipeline.execute()
        lost = []
        for name, exists in zip(names, there, strict=True):
            if exists:
                await self.forget(name)
            else:
                lost.append(str(name))
        return lost

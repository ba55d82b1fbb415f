"""Keys of apps: their records by public id. The secret itself is never here."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.apikey import KeyRecord
from falgate.store import _keys
from falgate.store._reach import reaching


class ApiKeys:
    """Every app's key. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Keep them in this Redis."""
        self._redis = redis

    async def read(self, key_id: str) -> KeyRecord | None:
        """One key, read anew each time so that a revocation counts at once."""
        with reaching():
            fields = await self._redis.hgetall(_keys.apikey(key_id))
        return msgspec.convert(fields, KeyRecord, strict=False) if fields else None

    async def add(self, record: KeyRecord) -> None:
        """Store a new key."""
        with reaching():
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.hset(_keys.apikey(record.id), mapping=msgspec.to_builtins(record))
                pipeline.sadd(_keys.APIKEYS, record.id)
                await pipeline.execute()

    async def revoke(self, key_id: str, now_s: int) -> bool:
        """End a key's use; False when there is none. The first time counts."""
        with reaching():
            if not await self._redis.sismember(_keys.APIKEYS, key_id):
                return False
            record = await self.read(key_id)
            if record is not None and not record.revoked_s:
                await self._redis.hset(_keys.apikey(key_id), "revoked_s", str(now_s))
        return True

    async def now_s(self) -> int:
        """Redis's clock, seconds since 1970."""
        with reaching():
            seconds, _ = await self._redis.time()
        return int(seconds)

    async def all(self) -> list[KeyRecord]:
        """Every key, the oldest first."""
        ids: Any
        with reaching():
            ids = await self._redis.smembers(_keys.APIKEYS)
        records = [await self.read(key_id) for key_id in ids]
        return sorted((r for r in records if r is not None), key=lambda r: (r.created_s, r.id))

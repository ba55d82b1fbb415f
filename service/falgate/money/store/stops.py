"""Redis storage of stops, which `jobs_hold.lua` reads before it holds money."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.account import LEVELS, Account, account
from falgate.core.change import Change
from falgate.money.stop import Stop, Stopped
from falgate.redis import keyspace
from falgate.redis.audited import put


class Stops:
    """All stops of an organisation. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def all(self) -> list[Stopped]:
        """Return every stop, by level, then by name."""
        found: Any = await self._redis.hgetall(keyspace.STOPS)
        stops = [stopped(name, record) for name, record in found.items()]
        return sorted(stops, key=lambda each: (LEVELS.index(each.subject.level), each.subject.id))

    async def first(self, subjects: Sequence[Account]) -> Stopped | None:
        """Return the first of these that is stopped, if one is."""
        names = [each.name for each in subjects]
        found: Any = await self._redis.hmget(keyspace.STOPS, names)
        pairs = zip(names, found, strict=True)
        return next((stopped(name, record) for name, record in pairs if record), None)

    async def read(self, of: Account) -> Stop | None:
        """Return a subject's stop, or None."""
        found = await self.first([of])
        return found.stop if found else None

    async def put(self, of: Account, was: Stop | None, now: Stop | None, who: str) -> bool:
        """Stop a subject, or (with None) resume it; False if its stop no longer equals `was`."""
        change = Change(who=who, action="stop", subject=of.name, why=now.why if now else "")
        return await put(self._redis, keyspace.STOPS, of.name, was, now, change)


def stopped(name: str, record: str) -> Stopped:
    """Decode a field of the hash of stops."""
    return Stopped(account(name), msgspec.json.decode(record, type=Stop))

"""Audit log entries of operations that change no record of their own."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.change import Change
from falgate.redis import keyspace


class AuditLog:
    """Writer of the audit log."""

    def __init__(self, redis: Redis) -> None:
        """Write to this Redis."""
        self._redis = redis

    async def note(self, change: Change, after: Any, before: Any = None) -> None:
        """Record an operation and its result, and what was there before if that is one record.

        Neither may contain a prompt.

        Raises:
            Unavailable: Without Redis.
        """
        await self._redis.xadd(
            keyspace.AUDIT,
            {
                "who": change.who,
                "action": change.action,
                "subject": change.subject,
                "before": "" if before is None else msgspec.json.encode(before).decode(),
                "after": msgspec.json.encode(after).decode(),
                "why": change.why,
            },
        )

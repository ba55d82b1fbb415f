"""Notes in the audit log, of what is done without a record of its own being changed."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.change import Change
from falgate.redis import keyspace
from falgate.redis.unavailable import translate_errors


class AuditLog:
    """Writes them."""

    def __init__(self, redis: Redis) -> None:
        """In this Redis."""
        self._redis = redis

    async def note(self, change: Change, after: Any) -> None:
        """Write down what was done; no prompt.

        Raises:
            Unavailable: Without Redis.
        """
        with translate_errors():
            await self._redis.xadd(
                keyspace.AUDIT,
                {
                    "who": change.who,
                    "action": change.action,
                    "subject": change.subject,
                    "before": "",
                    "after": msgspec.json.encode(after).decode(),
                },
            )

"""Redis storage of operators; every change is written with its audit entry."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.accounts.operator import OperatorRecord
from falgate.core.change import Change
from falgate.money.store.ledger import check_own
from falgate.redis import keyspace
from falgate.redis.audited import put


class Operators:
    """All operators. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, ledger_id: str = "") -> None:
        """Store them in this Redis; `ledger_id` is as for `Registry`."""
        self._redis = redis
        self._ledger_id = ledger_id

    async def get(self, operator_id: str) -> tuple[OperatorRecord | None, int]:
        """Return an operator and Redis's time in seconds; nothing of it is cached."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hget(keyspace.OPERATORS, operator_id)
            pipeline.hget(keyspace.META, "id")
            pipeline.time()
            found, ledger, (seconds, _) = await pipeline.execute()
        self._check(ledger)
        record = msgspec.json.decode(found, type=OperatorRecord) if found else None
        return record, int(seconds)

    async def all(self) -> list[OperatorRecord]:
        """Return all operators, oldest first."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hvals(keyspace.OPERATORS)
            pipeline.hget(keyspace.META, "id")
            found, ledger = await pipeline.execute()
        self._check(ledger)
        records = [msgspec.json.decode(each, type=OperatorRecord) for each in found]
        return sorted(records, key=lambda record: record.place)

    async def ids(self) -> frozenset[str]:
        """Return the public ids of all operators' keys."""
        found: Any = await self._redis.hkeys(keyspace.OPERATORS)
        return frozenset(found)

    async def put(self, was: OperatorRecord | None, now: OperatorRecord, who: str) -> bool:
        """Create or change an operator; False if it no longer equals `was`. Never removed."""
        self._check(await self._redis.hget(keyspace.META, "id"))
        change = Change(who=who, action="operator", subject=now.id)
        return await put(self._redis, keyspace.OPERATORS, now.id, was, now, change)

    def _check(self, found: object) -> None:
        if self._ledger_id:
            check_own(found, self._ledger_id)

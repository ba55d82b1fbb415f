"""Reading of a ledger's health, in one round trip."""

from typing import Any

from redis.asyncio import Redis

from falgate.billing.ledger_health import LedgerHealth
from falgate.billing.store.corrections import as_summary
from falgate.money.frozen import LOST, Frozen
from falgate.money.store.entries import entry_id
from falgate.money.store.verifications import as_verification
from falgate.redis import keyspace


class LedgerHealths:
    """The health of every ledger. Raises `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def read(self, upstream: str) -> LedgerHealth:
        """Return the health of an upstream's ledger."""
        entries = keyspace.ledger(upstream)
        found: list[Any]
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.xlen(entries)
            pipeline.xrange(entries, count=1)
            pipeline.xrevrange(entries, count=1)
            pipeline.hget(keyspace.opening(upstream), "archived")
            pipeline.hmget(keyspace.META, ["frozen_ms", "frozen_why"])
            pipeline.hlen(keyspace.torn(upstream))
            pipeline.hgetall(keyspace.verified(upstream))
            pipeline.hgetall(keyspace.reconciled(upstream))
            found = await pipeline.execute()
        (seconds, micros), number, first, last, archived, frozen, torn, proof, reconciled = found
        frozen_ms, why = frozen
        return LedgerHealth(
            at_ms=int(seconds) * 1000 + int(micros) // 1000,
            entries=int(number),
            first_ms=_written_ms(first),
            last_ms=_written_ms(last),
            archived_ms=entry_id(archived)[0] if archived else 0,
            frozen=Frozen(why or LOST, int(frozen_ms)) if frozen_ms else None,
            torn=int(torn),
            verified=as_verification(proof),
            reconciled=as_summary(reconciled),
            compared_until_ms=int(reconciled.get("compared_until_ms", 0)),
        )


def _written_ms(found: list[tuple[str, dict[str, str]]]) -> int:
    return entry_id(found[0][0])[0] if found else 0

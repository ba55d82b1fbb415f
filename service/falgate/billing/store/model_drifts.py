"""Redis storage of comparisons with fal's documents: whose turn it is, and the last results."""

from collections.abc import Collection
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.billing.model_drift_report import ModelDrift
from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.lock import take


class ModelDrifts:
    """The last result for each described model. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, owner: str = "") -> None:
        """Take turns with other instances as `owner`."""
        self._redis = redis
        self._owner = owner

    async def take_round(self, lease_ms: int) -> bool:
        """Return whether the caller is to compare now; if so, no one else may for `lease_ms`."""
        return await take(self._redis, keyspace.model_watch(), self._owner, lease_ms)

    async def now_ms(self) -> int:
        """Return Redis's time."""
        return await now_ms(self._redis)

    async def all(self) -> dict[str, ModelDrift]:
        """Return the results, by endpoint."""
        found: Any = await self._redis.hgetall(keyspace.MODEL_DRIFTS)
        return {name: _report(text) for name, text in sorted(found.items())}

    async def read(self, endpoint: str) -> ModelDrift | None:
        """Return the result for a model, if there is one."""
        found: Any = await self._redis.hget(keyspace.MODEL_DRIFTS, endpoint)
        return _report(found) if found else None

    async def keep(self, endpoint: str, report: ModelDrift) -> None:
        """Store a result, which every instance reports."""
        await self._redis.hset(
            keyspace.MODEL_DRIFTS, endpoint, msgspec.json.encode(report).decode()
        )

    async def keep_only(self, endpoints: Collection[str]) -> None:
        """Forget the results for models that are no longer described."""
        known: Any = await self._redis.hkeys(keyspace.MODEL_DRIFTS)
        if gone := sorted(set(known) - set(endpoints)):
            await self._redis.hdel(keyspace.MODEL_DRIFTS, *gone)


def _report(text: str) -> ModelDrift:
    return msgspec.json.decode(text, type=ModelDrift)

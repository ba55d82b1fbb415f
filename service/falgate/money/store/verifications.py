"""Redis storage of verifications: whose turn it is, and the last result."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from falgate.money.store.verify import verify
from falgate.money.verification import VerificationResult
from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.lock import take

_REST_MS = 50
"""Leaves about four fifths of a verifying gateway's time to its callers."""


def as_verification(found: Mapping[str, str]) -> VerificationResult | None:
    """Return a verification's result from the fields of its hash; None if there is none yet."""
    if not found:
        return None
    return VerificationResult(at_ms=int(found["at_ms"]), differences=int(found["differences"]))


class Verifications:
    """Verifications of all ledgers. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, owner: str) -> None:
        """Take turns with other instances as `owner`."""
        self._redis = redis
        self._owner = owner

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Return whether the caller is to verify now; if so, no one else may for `lease_ms`."""
        return await take(self._redis, keyspace.verifier(upstream), self._owner, lease_ms)

    async def differences(self, upstream: str) -> int:
        """Verify, pausing after every page, and return how many counters differ.

        Raises:
            EntryStrange: An entry cannot be read.
        """
        return len((await verify(self._redis, upstream, rest_ms=_REST_MS)).differences)

    async def keep(self, upstream: str, differences: int) -> VerificationResult:
        """Store a result, which every instance reports."""
        found = VerificationResult(at_ms=await now_ms(self._redis), differences=differences)
        figures: dict[Any, Any] = {"at_ms": found.at_ms, "differences": differences}
        await self._redis.hset(keyspace.verified(upstream), mapping=figures)
        return found

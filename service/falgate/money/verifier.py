"""Hourly verification of the ledger while the gateway runs."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.problems import Problem
from falgate.money.verification import UNREADABLE, VerificationResult
from falgate.redis.retry import every

_EVERY_S = 3_600
_LOOK_S = 60.0


class VerificationStore(Protocol):
    """Ledgers that can be verified. Without Redis, methods raise `Unavailable`."""

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Return whether the caller is to verify now; if so, no one else may for `lease_ms`."""

    async def differences(self, upstream: str) -> int:
        """Verify without delaying purchases, and return how many counters differ.

        Raises:
            EntryStrange: An entry cannot be read.
        """

    async def keep(self, upstream: str, differences: int) -> VerificationResult:
        """Store a result, which every instance reports."""


class VerificationFacts(Protocol):
    """Receives results for metrics and logs. Never raises."""

    def verified(self, upstream: str, differences: int) -> None:
        """A ledger was verified; `differences` is -1 if it cannot be read."""


class LedgerVerifier:
    """Verifies ledgers periodically."""

    def __init__(
        self, books: VerificationStore, upstreams: Sequence[str], facts: VerificationFacts
    ) -> None:
        """Verify the ledgers of these upstreams."""
        self._books = books
        self._upstreams = upstreams
        self._facts = facts

    async def run(self) -> None:
        """Verify every hour, on one instance at a time, until cancelled."""
        await every(_LOOK_S, self._look_at_all)

    async def _look_at_all(self) -> None:
        for upstream in self._upstreams:
            # One ledger that cannot be verified now does not keep the others waiting.
            with suppress(Unavailable):
                await self.look(upstream)

    async def look(self, upstream: str) -> VerificationResult | None:
        """Verify once; return None if another instance did within the hour.

        Raises:
            Unavailable: Without Redis. Nothing is reported: the last result stands.
        """
        if not await self._books.take_round(upstream, _EVERY_S * 1000):
            return None
        try:
            differences = await self._books.differences(upstream)
        except Problem:
            differences = UNREADABLE
        found = await self._books.keep(upstream, differences)
        self._facts.verified(upstream, differences)
        return found

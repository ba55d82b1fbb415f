"""Proof: the books are verified every hour while the gateway works, and the result is told."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.problems import Problem
from falgate.money.verification import UNREADABLE, VerificationResult

_EVERY_S = 3_600
_LOOK_S = 60.0


class Provable(Protocol):
    """The books in Redis. Without it: `Unavailable`; the last result stands."""

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Whether it is the caller's turn to verify; nobody else's for so long."""

    async def differences(self, upstream: str) -> int:
        """Verify, without being in the way of purchases; how many counters differ.

        Raises:
            EntryStrange: There is an entry that cannot be read.
        """

    async def keep(self, upstream: str, differences: int) -> VerificationResult:
        """Remember a result, for every instance to tell."""


class ProofFacts(Protocol):
    """Metrics and logs. Never raises."""

    def proved(self, upstream: str, differences: int) -> None:
        """The books were verified; `differences` is -1 when they cannot be read."""


class LedgerVerifier:
    """Verifies again and again."""

    def __init__(self, books: Provable, upstreams: Sequence[str], facts: ProofFacts) -> None:
        """Verify the books of these upstreams."""
        self._books = books
        self._upstreams = upstreams
        self._facts = facts

    async def run(self) -> None:
        """Look every hour, on one instance at a time, until cancelled."""
        while True:
            for upstream in self._upstreams:
                # Whoever fails has had its turn: in an hour somebody looks again.
                with suppress(Unavailable):
                    await self.look(upstream)
            await asyncio.sleep(_LOOK_S)

    async def look(self, upstream: str) -> VerificationResult | None:
        """Verify once; None when another instance did within the hour.

        Raises:
            Unavailable: Without Redis. Nothing is said: the last result stands.
        """
        if not await self._books.take_round(upstream, _EVERY_S * 1000):
            return None
        try:
            differences = await self._books.differences(upstream)
        except Problem:
            differences = UNREADABLE
        found = await self._books.keep(upstream, differences)
        self._facts.proved(upstream, differences)
        return found

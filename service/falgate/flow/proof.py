"""Proof: the books are verified every few hours while the gateway works, and the result is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from falgate.core.admin_errors import Problem
from falgate.core.errors import Unavailable

_EVERY_S = 6 * 3_600.0
_FIRST_S = 60.0


class ProofFacts(Protocol):
    """Metrics and logs. Never raises."""

    def proved(self, upstream: str, differences: int) -> None:
        """The books were verified; `differences` is -1 when they cannot be read."""


class Proof:
    """Verifies again and again."""

    def __init__(
        self,
        differences: Callable[[str], Awaitable[int]],
        upstreams: Sequence[str],
        facts: ProofFacts,
    ) -> None:
        """`differences` verifies an upstream's books, and says how many there are."""
        self._differences = differences
        self._upstreams = upstreams
        self._facts = facts

    async def run(self) -> None:
        """Look until cancelled; first a while after the start, which has enough to do."""
        await asyncio.sleep(_FIRST_S)
        while True:
            for upstream in self._upstreams:
                await self.look(upstream)
            await asyncio.sleep(_EVERY_S)

    async def look(self, upstream: str) -> None:
        """Verify once. Without Redis nothing is said: the last result stands."""
        try:
            self._facts.proved(upstream, await self._differences(upstream))
        except Problem:
            self._facts.proved(upstream, -1)
        except Unavailable:
            return

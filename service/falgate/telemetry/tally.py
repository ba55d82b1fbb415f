"""Tally: answers counted in memory, and put into the roll-ups of usage every second or two.

Statistics, never money: an instance that is killed loses what it counted in its last second.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.events import Answered
from falgate.money.usage import ANSWERED, COLUMN, spell

_EVERY_S = 1.5
_FIELDS_MAX = 1_000


class RollUps(Protocol):
    """The roll-ups. Without Redis: `Unavailable`, and the batch is offered again."""

    async def add(
        self, upstream: str, counts: Mapping[str, int], *, batch: str, before: str
    ) -> None:
        """Count answers of this hour, by "<subject>:<measure>"; a `batch` counts once."""


class Tally:
    """Counts answers, and posts them in batches."""

    def __init__(self, rollups: RollUps, instance: str) -> None:
        """Post as `instance`, whose name no other one has."""
        self._rollups = rollups
        self._instance = instance
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._batches: dict[str, Mapping[str, int]] = {}
        self._posted: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()

    def add(self, event: Answered) -> None:
        """Count one answer."""
        counts = self._counts[event.upstream]
        subject = spell(event.team, event.app, event.key, event.model, event.quality, ANSWERED)
        counts[f"{subject}:answers"] += 1
        counts[f"{subject}:{COLUMN[event.source]}"] += 1
        if event.reused:
            counts[f"{subject}:reused"] += event.reused
        if event.saved:
            counts[f"{subject}:saved"] += event.saved

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            # Without Redis they are kept, and grow no more than there are keys.
            with suppress(Unavailable):
                await self.flush()

    async def flush(self) -> None:
        """Post what was counted so far; once more at the end.

        Raises:
            Unavailable: Without Redis. What was not taken is posted the next time.
        """
        async with self._one_at_a_time:
            for upstream in {*self._batches, *self._counts}:
                await self._post(upstream)

    async def _post(self, upstream: str) -> None:
        while True:
            # A batch whose reply was lost is repeated as it was, under the same id.
            if upstream not in self._batches:
                if not self._counts.get(upstream):
                    return
                self._batches[upstream] = self._some(upstream)
            number = self._posted[upstream]
            await self._rollups.add(
                upstream,
                self._batches[upstream],
                batch=f"answers:{self._instance}:{upstream}:{number}",
                before=f"answers:{self._instance}:{upstream}:{number - 1}",
            )
            self._posted[upstream] += 1
            del self._batches[upstream]

    def _some(self, upstream: str) -> Mapping[str, int]:
        """As much as a script may do at once."""
        counts = self._counts[upstream]
        fields = list(counts)[:_FIELDS_MAX]
        return {field: counts.pop(field) for field in fields}

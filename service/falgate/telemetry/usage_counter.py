"""Usage statistics: answers are counted in memory and added to the roll-ups every 0.1 seconds.

These are statistics, not money: an instance that is killed loses the counts since its last flush.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Protocol

from falgate.core.events import Answered
from falgate.money.usage import ANSWERED, COLUMN, SAVED_BY, spell
from falgate.redis.retry import every

_EVERY_S = 0.1
_FIELDS_MAX = 250
"""How many counts one script adds, while everybody else waits for Redis: some milliseconds."""


class RollUps(Protocol):
    """The usage roll-ups. Without Redis: `Unavailable`, and the batch is sent again later."""

    async def add(
        self, upstream: str, counts: Mapping[str, int], *, batch: str, before: str
    ) -> None:
        """Add counts of the current hour, by "<subject>:<measure>"; a `batch` counts once."""


class UsageCounter:
    """Counts answers and adds them to the roll-ups in batches."""

    def __init__(self, rollups: RollUps, instance: str) -> None:
        """Flush as `instance`, a name unique to this process."""
        self._rollups = rollups
        self._instance = instance
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._batches: dict[str, Mapping[str, int]] = {}
        self._posted: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()

    def add(self, event: Answered, number: int = 1) -> None:
        """Count an answer, or a number of equal ones."""
        counts = self._counts[event.upstream]
        subject = spell(event.team, event.app, event.key, event.model, event.quality, ANSWERED)
        counts[f"{subject}:answers"] += number
        counts[f"{subject}:{COLUMN[event.source]}"] += number
        if event.reused:
            counts[f"{subject}:reused"] += event.reused * number
        if event.saved:
            counts[f"{subject}:saved"] += event.saved * number
            if event.source in SAVED_BY:
                counts[f"{subject}:{SAVED_BY[event.source]}"] += event.saved * number

    async def run(self) -> None:
        """Flush until cancelled."""
        # Without Redis the counts stay in memory, bounded by the number of their subjects.
        await every(_EVERY_S, self.flush)

    async def flush(self) -> None:
        """Add the counts so far to the roll-ups; also called at shutdown.

        Raises:
            Unavailable: Without Redis. Whatever is left is sent at the next flush.
        """
        async with self._one_at_a_time:
            for upstream in {*self._batches, *self._counts}:
                await self._post(upstream)

    async def _post(self, upstream: str) -> None:
        while True:
            # A batch whose reply was lost is sent again unchanged under the same id, so that it
            # counts once.
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
        """Take as many counts as one script may process."""
        counts = self._counts[upstream]
        fields = list(counts)[:_FIELDS_MAX]
        return {field: counts.pop(field) for field in fields}

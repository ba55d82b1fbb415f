"""The sums of each day by team, from the roll-ups; those of days that have ended are remembered."""

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from falgate.money.activity import MEASURES
from falgate.money.store.usage import Usage
from falgate.money.usage import spelt

Teams = Mapping[str, Mapping[str, int]]
"""What was counted, by team and measure."""

Parts = Mapping[tuple[str, str], Mapping[str, int]]
"""What was counted, by model and outcome, and by measure."""

T = TypeVar("T")
_Days = OrderedDict[tuple[str, str], tuple[float, T]]
"""By upstream and day: until when it may be used, and what was counted."""

KNOWN_FOR_S = 300.0
"""How old the figures of a day that has ended may be: only corrections change them."""
_DAYS_KEPT = 400

_SHOWN = frozenset(MEASURES)


class DaySums:
    """Reads what days have in common with how many apps and keys there are as rarely as it can."""

    def __init__(self, rollups: Usage) -> None:
        self._rollups = rollups
        self._teams: _Days[Teams] = OrderedDict()
        self._parts: _Days[Parts] = OrderedDict()

    async def teams(self, upstream: str, days: Sequence[str]) -> list[Teams]:
        """Return the sums of each day, by team. Today and yesterday are always read.

        Raises:
            Unavailable: Without Redis.
        """

        async def read(day: str) -> Teams:
            [found] = [_by_team(each) async for _, each, _ in self._rollups.days(upstream, [day])]
            return found

        return await self._each(self._teams, upstream, days, read)

    async def parts(self, upstream: str, days: Sequence[str]) -> list[Parts]:
        """Return the same from the breakdowns, by model and outcome."""

        async def read(day: str) -> Parts:
            whole = self._rollups.matching(upstream, [day], "*", broken_down=True)
            [found] = [_by_part(each) async for _, each in whole]
            return found

        return await self._each(self._parts, upstream, days, read)

    async def _each(
        self,
        known: "_Days[T]",
        upstream: str,
        days: Sequence[str],
        read: Callable[[str], Awaitable[T]],
    ) -> list[T]:
        yesterday = (await self._rollups.today() - timedelta(days=1)).isoformat()
        found: list[T] = []
        for day in days:
            kept = known.get((upstream, day))
            if kept is not None and time.monotonic() < kept[0]:
                found.append(kept[1])
                continue
            # One day at a time, so that callers of the gateway wait for one at most.
            sums = await read(day)
            found.append(sums)
            if day < yesterday:
                known[upstream, day] = time.monotonic() + KNOWN_FOR_S, sums
                known.move_to_end((upstream, day))
                while len(known) > _DAYS_KEPT:
                    known.popitem(last=False)
            await asyncio.sleep(0)
        return found


def _by_team(measures: Mapping[str, str]) -> Teams:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for field, number in measures.items():
        whose, _, measure = field.rpartition(":")
        if measure in _SHOWN:
            sums[whose.partition("/")[0]][measure] += int(number)
    return sums


def _by_part(measures: Mapping[str, str]) -> Parts:
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    known: dict[str, Counter[str]] = {}
    for field, number in measures.items():
        subject, _, measure = field.rpartition(":")
        if measure in _SHOWN:
            part = known.get(subject)
            if part is None:
                _, (_, model, _, outcome) = spelt(subject)
                part = known[subject] = sums[model, outcome]
            part[measure] += int(number)
    return sums

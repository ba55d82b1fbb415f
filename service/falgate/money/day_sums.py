"""The sums of each day by team, from the roll-ups; those of days that have ended are remembered."""

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from falgate.money.activity import MEASURES
from falgate.money.store.usage import Usage

Teams = Mapping[str, Mapping[str, int]]
"""What was counted, by team and measure."""

KNOWN_FOR_S = 300.0
"""How old the figures of a day that has ended may be: only corrections change them."""
_DAYS_KEPT = 400

_SHOWN = frozenset(MEASURES)


class DaySums:
    """Reads what days have in common with how many apps there are as rarely as it can."""

    def __init__(self, rollups: Usage) -> None:
        self._rollups = rollups
        self._known: OrderedDict[tuple[str, str], tuple[float, Teams]] = OrderedDict()

    async def teams(self, upstream: str, days: Sequence[str]) -> list[Teams]:
        """Return the sums of each day, by team. Today and yesterday are always read.

        Raises:
            Unavailable: Without Redis.
        """
        yesterday = (await self._rollups.today() - timedelta(days=1)).isoformat()
        found: dict[str, Teams] = {}
        for day in days:
            known = self._known.get((upstream, day))
            if known is not None and time.monotonic() < known[0]:
                found[day] = known[1]
        # One day at a time, so that callers of the gateway wait for one at most.
        for day in (each for each in days if each not in found):
            async for _, measures, _ in self._rollups.days(upstream, [day]):
                found[day] = _by_team(measures)
            if day < yesterday:
                self._keep(upstream, day, found[day])
            await asyncio.sleep(0)
        return [found[day] for day in days]

    def _keep(self, upstream: str, day: str, sums: Teams) -> None:
        self._known[upstream, day] = time.monotonic() + KNOWN_FOR_S, sums
        self._known.move_to_end((upstream, day))
        while len(self._known) > _DAYS_KEPT:
            self._known.popitem(last=False)


def _by_team(measures: Mapping[str, str]) -> Teams:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for field, number in measures.items():
        whose, _, measure = field.rpartition(":")
        if measure in _SHOWN:
            sums[whose.partition("/")[0]][measure] += int(number)
    return sums

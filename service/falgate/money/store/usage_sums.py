"""Redis storage of the sums of the roll-ups: what a team or all did on a day or in a month."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from redis.asyncio import Redis

from falgate.core.calendar import days_of, month_of
from falgate.money.usage import DAYS_MAX
from falgate.redis import usage_keys
from falgate.redis.script import Script

_SUM = Script("usage_sums")
_DAYS_AT_ONCE = 60
CORRECTED_DAYS = 10
"""How long a day may be changed: jobs are kept, and so may be corrected, for a week."""


class UsageSums:
    """Sums of all upstreams, by the names of their parts. Without Redis: `Unavailable`.

    A part is "" for all, "<team>", "<team>|<outcome>" or "<team>|<outcome>|<model>", where the team
    is "" for all. Months are told apart by team only.
    """

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def of(
        self, upstream: str, periods: Sequence[str], parts: Sequence[str], measures: Sequence[str]
    ) -> list[dict[str, Mapping[str, int]]]:
        """Return what was counted for each part in each period, a day or a month, by measure."""
        fields = [f"{part}:{measure}" for part in parts for measure in measures]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for each in periods if fields else ():
                pipeline.hmget(_key(upstream, each), fields)
            replies = await pipeline.execute()
        at = range(0, len(fields), len(measures) or 1)
        return [
            {
                part: _sums(measures, values[start : start + len(measures)])
                for part, start in zip(parts, at, strict=True)
            }
            for values in replies
        ]

    async def teams(self, upstream: str, month: str) -> Mapping[str, Mapping[str, int]]:
        """Return what was counted in a month, such as "2026-11", by team, and for all as ""."""
        found: Any = await self._redis.hgetall(usage_keys.month_sums(upstream, month))
        teams: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for field, number in found.items():
            team, _, measure = field.rpartition(":")
            teams[team][measure] = int(number)
        return teams

    async def callers(self, upstream: str, since: date) -> list[tuple[str, str]]:
        """Return each model with each "team/app" that called it on that day or later."""
        found: Any = await self._redis.zrange(
            usage_keys.callers(upstream), f"{since:%Y%m%d}", "+inf", byscore=True
        )
        pairs = (each.partition("|") for each in found)
        return [(model, app) for model, _, app in pairs]

    async def complete(self, upstream: str, today: date) -> int:
        """Add up days that an earlier version counted, or were torn; return how many there were.

        The oldest comes first, so all is done once a stretch of days has nothing left to do. Days
        shortly before those had their sums when it came back, and it counted on the last of them
        and corrected others.
        """
        days = [(today - timedelta(days=back)).isoformat() for back in range(DAYS_MAX)]
        if not await self._redis.exists(*(usage_keys.usage(upstream, day) for day in days)):
            return 0
        missing: list[str] = []
        for start in range(0, len(days), _DAYS_AT_ONCE):
            some = days[start : start + _DAYS_AT_ONCE]
            there, lack = await self._lacking(upstream, some)
            missing += lack
            if there and not lack:
                break
        both = {each for day in missing for each in _before(day)}.difference(missing)
        for day in sorted(both.union(missing)):
            await self.add_up(upstream, day, again=day in both)
            await asyncio.sleep(0)
        return len(missing)

    async def add_up(self, upstream: str, day: str, *, again: bool = False) -> None:
        """Add up a day that has no sums, or was written in part; or `again`, if it differs."""
        month = month_of(day)
        await _SUM(
            self._redis,
            upstream=upstream,
            day=day,
            month=month,
            again="1" if again else "",
            more_keys=[usage_keys.day_sums(upstream, each) for each in days_of(month)],
        )

    async def _lacking(self, upstream: str, days: Sequence[str]) -> tuple[bool, list[str]]:
        """Return whether any of the days has usage, and those that have it without all its sums."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.exists(usage_keys.usage(upstream, day))
                pipeline.hmget(usage_keys.day_sums(upstream, day), ["whole", "begun"])
            found = await pipeline.execute()
        told = zip(days, found[::2], found[1::2], strict=True)
        used = [(day, marks) for day, there, marks in told if there]
        return bool(used), [day for day, (whole, begun) in used if begun or not whole]


def _before(day: str) -> list[str]:
    """Return the days before one that were changed on it too: billing comes later."""
    return [
        (date.fromisoformat(day) - timedelta(days=back)).isoformat()
        for back in range(1, CORRECTED_DAYS)
    ]


def _key(upstream: str, each: str) -> str:
    of = usage_keys.month_sums if each == month_of(each) else usage_keys.day_sums
    return of(upstream, each)


def _sums(measures: Sequence[str], values: Sequence[str | None]) -> Mapping[str, int]:
    pairs = zip(measures, values, strict=True)
    return {measure: int(value) for measure, value in pairs if value is not None}

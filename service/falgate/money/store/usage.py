"""Redis storage of the daily usage roll-ups, from which all usage is reported."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.calendar import Calendar, Kind, Window, month_of
from falgate.money.usage import measured
from falgate.redis import usage_keys
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_ADD = Script("usage_add")

_DAYS_AT_ONCE = 10
_FIELDS_AT_ONCE = 1_000
_BREAKDOWN_MAX = 10_000
"""About how many fields a breakdown has at most, see `_usage.lua`."""


class Usage:
    """Usage roll-ups of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, calendar: Calendar) -> None:
        """Count days by `calendar`."""
        self._redis = redis
        self._calendar = calendar

    async def days(
        self, upstream: str, days: Sequence[str], *, broken_down: bool = False, only: str = ""
    ) -> AsyncIterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
        """Yield each day's measures, by "<team>/<app>:<measure>", and its breakdown.

        The breakdown, by "<subject>:<measure>", is empty unless `broken_down`. With `only`, a
        "team" or "team/app", others' breakdown is not fetched from Redis; with a "team/app",
        neither are others' measures.
        """
        for start in range(0, len(days), _DAYS_AT_ONCE):
            asked = days[start : start + _DAYS_AT_ONCE]
            rolled, parts = await self._some(upstream, asked, broken_down=broken_down, only=only)
            for day, measures, breakdown in zip(asked, rolled, parts, strict=True):
                yield day, measures, breakdown

    async def _some(
        self, upstream: str, days: Sequence[str], *, broken_down: bool, only: str
    ) -> tuple[list[Mapping[str, str]], list[Mapping[str, str]]]:
        fields = [f"{only}:{measure}" for measure in measured()] if "/" in only else []
        found: list[Any]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in (usage_keys.usage(upstream, day) for day in days):
                pipeline.hmget(name, fields) if fields else pipeline.hgetall(name)
            for day in days if broken_down and not only else ():
                pipeline.hgetall(usage_keys.breakdown(upstream, day))
            found = await pipeline.execute()
        rolled, parts = found[: len(days)], found[len(days) :] or [{}] * len(days)
        if fields:
            pairs = (zip(fields, each, strict=True) for each in rolled)
            rolled = [{field: number for field, number in each if number} for each in pairs]
        if only and broken_down:
            parts = [await self._part(upstream, day, only) for day in days]
        return rolled, parts

    async def _part(self, upstream: str, day: str, only: str) -> Mapping[str, str]:
        """Return a team's or an app's part of a day's breakdown; the rest stays in Redis."""
        # Names of teams and apps contain no characters that are special in a pattern.
        pages: Any = self._redis.hscan_iter(
            usage_keys.breakdown(upstream, day), match=f"{only}/*", count=_FIELDS_AT_ONCE
        )
        return {field: number async for field, number in pages}

    async def matching(
        self, upstream: str, days: Sequence[str], match: str, *, broken_down: bool = False
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        """Yield each day's measures, or those of its breakdown, whose names match a pattern.

        The rest does not leave Redis.
        """
        of = usage_keys.breakdown if broken_down else usage_keys.usage
        for day in days:
            found: dict[str, str] = {}
            cursor, at_once = 0, 2 * _BREAKDOWN_MAX
            while True:
                page: Any
                cursor, page = await self._redis.hscan(of(upstream, day), cursor, match, at_once)
                found |= page
                if not cursor:
                    break
            yield day, found

    async def have_breakdowns(self, upstream: str, days: Sequence[str]) -> list[bool]:
        """Return for each day whether its breakdown is there."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.exists(usage_keys.breakdown(upstream, day))
            return [bool(each) for each in await pipeline.execute()]

    async def named(
        self, upstream: str, days: Sequence[str], whose: Sequence[str], measures: Sequence[str]
    ) -> list[Mapping[str, int]]:
        """Return what was counted on each day for subjects of `usage_keys.usage`, summed up."""
        fields = [f"{each}:{measure}" for each in whose for measure in measures]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.hmget(usage_keys.usage(upstream, day), fields)
            return [_summed(fields, values) for values in await pipeline.execute()]

    async def by_hour(
        self, upstream: str, days: Sequence[str], of: str, measures: Sequence[str]
    ) -> list[list[Mapping[str, int]]]:
        """Return what was counted in the 24 hours of each day for "", a team or a "team/app"."""
        whose = f"/{of}" if of else ""
        hours = [f"{hour:02}{whose}" for hour in range(24)]
        fields = [f"{hour}:{measure}" for hour in hours for measure in measures]
        each, found = len(measures), []
        async with self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.hmget(usage_keys.hits(upstream, day), fields)
            replies = await pipeline.execute()
        for values in replies:
            starts = range(0, len(fields), each)
            found.append([_summed(fields[at : at + each], values[at : at + each]) for at in starts])
        return found

    async def today(self) -> date:
        """Return today's date in the organisation's time zone, by Redis's clock."""
        return date.fromisoformat((await self._window("day")).id)

    async def hour(self) -> str:
        """Return the present local hour, such as "2026-11-30T14", by Redis's clock."""
        return (await self._window("hour")).id[:13]

    async def add(
        self, upstream: str, counts: Mapping[str, int], *, batch: str, before: str
    ) -> None:
        """Count responses of this hour, by "<subject>:<measure>", once per `batch`.

        Args:
            upstream: Whose ledger.
            counts: Counts and micro-USD.
            batch: The batch's id; the caller repeats it until the call succeeds.
            before: The caller's previous batch, which it will not repeat any more.
        """
        hour = await self._window("hour")
        day, _, clock = hour.id.partition("T")
        await _ADD(
            self._redis,
            upstream=upstream,
            day=day,
            month=month_of(day),
            id=batch,
            before=before,
            hour=clock[:2],
            counts=msgspec.json.encode({name: str(counts[name]) for name in counts}).decode(),
        )

    async def _window(self, kind: Kind) -> Window:
        windows = self._calendar.windows(await now_ms(self._redis))
        return next(window for window in windows if window.kind == kind)


def _summed(fields: Sequence[str], values: Sequence[str | None]) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for field, value in zip(fields, values, strict=True):
        if value is not None:
            sums[field.rpartition(":")[2]] += int(value)
    return sums

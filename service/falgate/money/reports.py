"""Reports: usage from the roll-ups, and filtered entries of the ledger."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from falgate.core.calendar import Calendar
from falgate.money.entry import Filter
from falgate.money.usage import DAYS_MAX, Group, Period, Report, period, plausible

Raw = tuple[str, dict[str, str]]

_COUNT_MAX = 2**64 - 1
_LOOKED_MAX = 20_000


class RollUps(Protocol):
    """The days' roll-ups. Raises `Unavailable` without Redis."""

    def days(
        self, upstream: str, days: Sequence[str], *, broken_down: bool = False, only: str = ""
    ) -> AsyncIterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
        """Yield each day's measures, and its breakdown if wanted, of all or one "team/app"."""

    async def today(self) -> date:
        """Return today's date in the organisation's time zone."""


class EntrySource(Protocol):
    """The ledger's entries. Raises `Unavailable` without Redis."""

    def pages(
        self, upstream: str, *, after: str = "0-0", until: str = "+"
    ) -> AsyncIterator[list[Raw]]:
        """Yield the entries after one id and up to another, oldest first."""

    def newest(self, upstream: str, *, before: str = "+", since: str = "-") -> AsyncIterator[Raw]:
        """Yield the entries before one id and down to another, newest first."""

    async def archived_until(self, upstream: str) -> str:
        """Return the id of the last archived entry, or ""."""


class Reports:
    """Usage reports and ledger queries."""

    def __init__(self, rollups: RollUps, entries: EntrySource, calendar: Calendar) -> None:
        """Count days by `calendar`."""
        self._rollups = rollups
        self._entries = entries
        self._calendar = calendar

    async def usage(
        self,
        upstream: str,
        by: Sequence[Group],
        first: date | None,
        last: date | None,
        *,
        only: str = "",
        days_max: int = DAYS_MAX,
    ) -> tuple[Period, Report]:
        """Return the usage in a period, by default this month, from roll-ups only.

        Args:
            upstream: Whose ledger.
            by: Groups to tell apart.
            first: The first local day.
            last: The last local day, inclusive.
            only: Only this "team/app"; "" for all.
            days_max: The longest period that is allowed, in days.

        Raises:
            Invalid: The period is invalid.
            Unavailable: Without Redis.
        """
        days = period(first, last, await self._rollups.today(), days_max)
        report = Report(by, only)
        read = self._rollups.days(upstream, days.days, broken_down=report.broken_down, only=only)
        async for day, measures, breakdown in read:
            report.add(day, measures, breakdown)
        return days, report

    async def page_onwards(
        self,
        upstream: str,
        wanted: Filter,
        first: date | None,
        last: date | None,
        *,
        after: str = "",
        number: int,
    ) -> tuple[list[Raw], str]:
        """As `page`, with the oldest first; `after` is where the page before said to go on."""
        since, until = self._bounds(first, last)
        begins = max((each for each in (after, since) if each), key=_order, default="0-0")
        found: list[Raw] = []
        looked = 0
        async for entries in self._entries.pages(upstream, after=begins, until=until or "+"):
            for entry, fields in entries:
                looked += 1
                if wanted.wants(fields):
                    found.append((entry, fields))
                if len(found) == number or looked == _LOOKED_MAX:
                    return found, entry
        return found, ""

    async def page(
        self,
        upstream: str,
        wanted: Filter,
        first: date | None,
        last: date | None,
        *,
        before: str = "",
        number: int,
    ) -> tuple[list[Raw], str]:
        """Return up to `number` entries, newest first, and a cursor to the next page or "".

        Args:
            upstream: Whose ledger.
            wanted: Which entries.
            first: The first local day.
            last: The last local day, inclusive.
            before: Cursor of the previous page; "" for the newest entries.
            number: How many entries.

        Raises:
            Invalid: A day is not plausible.
            Unavailable: Without Redis.
        """
        since, until = self._bounds(first, last)
        bounds = [each for each in (before, until) if each]
        found: list[Raw] = []
        looked = 0
        async for entry, fields in self._entries.newest(
            upstream,
            before=min(bounds, key=_order, default="+"),
            since=f"({since}" if since else "-",
        ):
            looked += 1
            if wanted.wants(fields):
                found.append((entry, fields))
            # If few entries match, return a shorter page instead of searching for long.
            if len(found) == number or looked == _LOOKED_MAX:
                return found, entry
        return found, ""

    async def archived_until(self, upstream: str) -> str:
        """Return the id of the last archived entry, or ""."""
        return await self._entries.archived_until(upstream)

    def _bounds(self, first: date | None, last: date | None) -> tuple[str, str]:
        """Return the last id before a period, and the first one after it; "" for no bound."""
        plausible(first, last)
        starts = f"{self._calendar.day(first).starts_ms - 1}-{_COUNT_MAX}" if first else ""
        ends = f"{self._calendar.day(last).ends_ms}-0" if last else ""
        return starts, ends


def _order(entry: str) -> tuple[int, int]:
    moment, _, count = entry.partition("-")
    return int(moment), int(count or 0)

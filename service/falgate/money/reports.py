"""Reports: usage from the roll-ups, and entries of the ledger as they are asked for."""

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
    """The days' roll-ups. Without Redis: `Unavailable`."""

    def days(
        self, upstream: str, days: Sequence[str], *, broken_down: bool = False, only: str = ""
    ) -> AsyncIterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
        """Each day with what it came to, of all or `only` one "team/app", broken down if wanted."""

    async def today(self) -> date:
        """The organisation's date now."""


class EntrySource(Protocol):
    """The ledger's entries. Without Redis: `Unavailable`."""

    def pages(
        self, upstream: str, *, after: str = "0-0", until: str = "+"
    ) -> AsyncIterator[list[Raw]]:
        """Those behind one id, up to another one, the oldest first."""

    def newest(self, upstream: str, *, before: str = "+", since: str = "-") -> AsyncIterator[Raw]:
        """Those before one id, down to another one, the newest first."""

    async def archived_until(self, upstream: str) -> str:
        """The id of the last entry that is in an archive, or ""."""


class Reports:
    """What somebody may want to know about the books."""

    def __init__(self, rollups: RollUps, entries: EntrySource, calendar: Calendar) -> None:
        """Days are those of `calendar`."""
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
        """Usage of some days, by default of this month; from the roll-ups, never the ledger.

        Args:
            upstream: Whose books.
            by: What to tell apart.
            first: The first local day.
            last: The last one, included.
            only: Of this "team/app" alone; "": of all.
            days_max: How many days at once.

        Raises:
            Invalid: The period makes no sense.
            Unavailable: Without Redis.
        """
        days = period(first, last, await self._rollups.today(), days_max)
        report = Report(by, only)
        read = self._rollups.days(upstream, days.days, broken_down=report.broken_down, only=only)
        async for day, measures, breakdown in read:
            report.add(day, measures, breakdown)
        return days, report

    async def entries(
        self, upstream: str, wanted: Filter, first: date | None, last: date | None
    ) -> AsyncIterator[Raw]:
        """Entries that were written on some days, the oldest first, one page in memory."""
        after, until = self._bounds(first, last)
        async for page in self._entries.pages(upstream, after=after or "0-0", until=until or "+"):
            for entry, fields in page:
                if wanted.wants(fields):
                    yield entry, fields

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
        """So many of them at most, the newest first, and where to go on; "" at the end.

        Args:
            upstream: Whose books.
            wanted: Which of them.
            first: The first local day.
            last: The last one, included.
            before: Where the page before said to go on; "" for the newest.
            number: How many.

        Raises:
            Invalid: A day is not of our time.
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
            # Where few are wanted, a page has less rather than taking long.
            if len(found) == number or looked == _LOOKED_MAX:
                return found, entry
        return found, ""

    async def archived_until(self, upstream: str) -> str:
        """The id of the last entry that is in an archive, or ""."""
        return await self._entries.archived_until(upstream)

    def _bounds(self, first: date | None, last: date | None) -> tuple[str, str]:
        """The last possible id before some days, and the first one after them; "": no bound."""
        plausible(first, last)
        starts = f"{self._calendar.day(first).starts_ms - 1}-{_COUNT_MAX}" if first else ""
        ends = f"{self._calendar.day(last).ends_ms}-0" if last else ""
        return starts, ends


def _order(entry: str) -> tuple[int, int]:
    moment, _, count = entry.partition("-")
    return int(moment), int(count or 0)

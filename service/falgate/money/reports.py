"""Reports: usage from the roll-ups, and filtered entries of the ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from falgate.core.calendar import Calendar
from falgate.money.entry import Filter
from falgate.money.store.entries import FIRST, LAST, Entries, Raw, entry_id, last_before
from falgate.money.store.usage import Usage
from falgate.money.usage import DAYS_MAX, Group, Period, Report, period, plausible

_LOOKED_MAX = 20_000


class Reports:
    """Usage reports and ledger queries."""

    def __init__(self, rollups: Usage, entries: Entries, calendar: Calendar) -> None:
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
            only: Only this "team" or "team/app"; "" for all.
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

    async def callers(
        self, upstream: str, days: int, *, of: str = ""
    ) -> Mapping[str, Sequence[str]]:
        """Return the apps, "team/app", that called each model in the last days, today included.

        With `of`, a team, only its apps.

        Raises:
            Unavailable: Without Redis.
        """
        today = await self._rollups.today()
        first = today - timedelta(days=days - 1)
        _, report = await self.usage(upstream, ("model", "team", "app"), first, today, only=of)
        found: defaultdict[str, list[str]] = defaultdict(list)
        for row in report.rows():
            model, team, app = row.group
            found[model].append(f"{team}/{app}")
        return found

    async def page(
        self,
        upstream: str,
        wanted: Filter,
        first: date | None,
        last: date | None,
        *,
        cursor: str = "",
        number: int,
        oldest_first: bool = False,
    ) -> tuple[list[Raw], str]:
        """Return up to `number` entries, and a cursor to the next page or "".

        Args:
            upstream: Whose ledger.
            wanted: Which entries.
            first: The first local day.
            last: The last local day, inclusive.
            cursor: Cursor of the previous page; "" for the first page.
            number: How many entries.
            oldest_first: Begin with the oldest entry instead of the newest.

        Raises:
            Invalid: A day is not plausible.
            Unavailable: Without Redis.
        """
        plausible(first, last)
        after = last_before(self._calendar.day(first).starts_ms) if first else FIRST
        before = f"{self._calendar.day(last).ends_ms}-0" if last else LAST
        if cursor and oldest_first:
            after = max(after, cursor, key=entry_id)
        elif cursor:
            before = min(before, cursor, key=entry_id)
        found: list[Raw] = []
        looked = 0
        async for page in self._entries.pages(
            upstream, after=after, until=f"({before}", newest_first=not oldest_first
        ):
            for entry, fields in page:
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

"""Reports: usage from the roll-ups, and filtered entries of the ledger."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from falgate.core.calendar import Calendar
from falgate.money.entry_filter import Filter
from falgate.money.store.entries import FIRST, LAST, Entries, Raw, entry_id, last_before
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.money.usage import DAYS_MAX, Group, Period, Report, period, plausible

LOOKED_MAX = 1_000
"""How many entries a page looks at, which takes some 15 ms; one that finds less ends early."""


class LedgerSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that were looked for.

    Attributes:
        entries: Those that match, in order.
        cursor: Where to go on; "" if there is nothing more.
    """

    entries: Sequence[Raw]
    cursor: str


class Reports:
    """Usage reports and ledger queries."""

    def __init__(
        self, rollups: Usage, sums: UsageSums, entries: Entries, calendar: Calendar
    ) -> None:
        """Count days by `calendar`."""
        self._rollups = rollups
        self._sums = sums
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
        since = await self._rollups.today() - timedelta(days=days - 1)
        found: defaultdict[str, set[str]] = defaultdict(set)
        for model, app in await self._sums.callers(upstream, since):
            if of in {"", app, app.partition("/")[0]}:
                found[model].add(app)
        return {model: sorted(found[model]) for model in sorted(found)}

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
    ) -> LedgerSlice:
        """Return up to `number` entries, from at most `LOOKED_MAX` that are looked at.

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
        after, before = await self._bounds(upstream, wanted, first, last)
        if cursor and oldest_first:
            after = max(after, cursor, key=entry_id)
        elif cursor:
            before = min(before, cursor, key=entry_id)
        found: list[Raw] = []
        looked = 0
        async for page in self._entries.with_words(
            upstream, wanted.words, after=after, until=f"({before}", newest_first=not oldest_first
        ):
            looked += page.number
            found += await self._wanted(upstream, wanted, page.entries)
            if len(found) >= number:
                return LedgerSlice(entries=found[:number], cursor=found[number - 1][0])
            # If few entries match, return a shorter page instead of searching for long.
            if looked >= LOOKED_MAX:
                return LedgerSlice(entries=found, cursor=page.last)
        return LedgerSlice(entries=found, cursor="")

    async def entries(
        self, upstream: str, wanted: Filter, first: date | None, last: date | None
    ) -> AsyncIterator[list[Raw]]:
        """Yield all entries that match, oldest first, in parts of a size that memory can hold.

        Raises:
            Invalid: A day is not plausible.
            Unavailable: Without Redis.
        """
        after, before = await self._bounds(upstream, wanted, first, last)
        async for page in self._entries.with_words(
            upstream, wanted.words, after=after, until=f"({before}"
        ):
            yield await self._wanted(upstream, wanted, page.entries)

    async def _wanted(self, upstream: str, wanted: Filter, some: Sequence[Raw]) -> list[Raw]:
        """Return those that match, with whether they were compared with fal's billing."""
        either = msgspec.structs.replace(wanted, reconciled="")
        known = await self._entries.marked(
            upstream, [each for each in some if either.wants(each[1])]
        )
        return [each for each in known if wanted.wants(each[1])] if wanted.reconciled else known

    async def _bounds(
        self, upstream: str, wanted: Filter, first: date | None, last: date | None
    ) -> tuple[str, str]:
        """Return the ids after and before which the wanted entries are."""
        plausible(first, last)
        after = last_before(self._calendar.day(first).starts_ms) if first else FIRST
        before = f"{self._calendar.day(last).ends_ms}-0" if last else LAST
        if wanted.job:
            began, ended = await self._entries.of_job(upstream, wanted.job)
            after = max(after, began, key=entry_id)
            before = min(before, ended, key=entry_id)
        return after, before

    async def archived_until(self, upstream: str) -> str:
        """Return the id of the last archived entry, or ""."""
        return await self._entries.archived_until(upstream)

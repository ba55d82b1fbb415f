"""Figures for people who look: activity over time, totals of the ledger, and what teams spend.

They are read from the roll-ups, so they cost the same however many entries and keys there are.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta

from falgate.core.calendar import month_of
from falgate.core.problems import Invalid
from falgate.money import activity, totals
from falgate.money.activity import MEASURES, Bucket, Step, Sums, added
from falgate.money.entry_filter import Filter
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.money.totals import Totals
from falgate.money.usage import Period, period

_TOTAL_DAYS_MAX = 366


class Figures:
    """Figures of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, rollups: Usage, sums: UsageSums) -> None:
        """Read from the roll-ups, and from their sums where those tell enough."""
        self._rollups = rollups
        self._sums = sums

    async def activity(
        self, upstream: str, step: Step, first: date | None, last: date | None, of: str
    ) -> tuple[Period, list[Bucket]]:
        """Return a series of buckets without gaps, up to the present one.

        Args:
            upstream: Whose ledger.
            step: How long a bucket is.
            first: The first local day; by default today for hours, the first of the month for
                days, and that of eleven months ago for months.
            last: The last local day, inclusive; by default today.
            of: Only this team or "team/app"; "" for all.

        Raises:
            Invalid: The period is invalid, or too long for the step.
        """
        hour = await self._rollups.hour()
        today = date.fromisoformat(hour[:10])
        days = period(first or _begins(step, last or today), last, today)
        activity.check_step(step, days)
        if step == "hour":
            found = await self._rollups.by_hour(upstream, days.days, of, MEASURES)
            names = [name for day in days.days for name in activity.hours(day)]
            sums = [each for hours in found for each in hours]
            counted = [each for each in zip(names, sums, strict=True) if each[0] <= hour]
        elif "/" in of:
            apps = await self._rollups.named(upstream, days.days, [of], MEASURES)
            counted = list(zip(days.days, apps, strict=True))
        else:
            spans = days.days if step == "day" else days.spans(today)
            counted = list(zip(spans, await self._of(upstream, spans, of, MEASURES), strict=True))
        return days, activity.series(step, counted)

    async def totals(
        self,
        upstream: str,
        wanted: Filter,
        first: date | None,
        last: date | None,
        *,
        counted: bool = True,
    ) -> tuple[Period, Totals]:
        """Return the totals of a period, by default this month, for a filter of entries.

        Unless `counted`, nothing is read: what the filter means was never counted.

        Raises:
            Invalid: The period is invalid.
        """
        today = await self._rollups.today()
        days = period(first, last, today, _TOTAL_DAYS_MAX)
        ignored = totals.not_applied(wanted)
        if not (counted and _may_be_team(wanted.team)):
            return days, Totals(sums={}, not_applied=ignored)
        if wanted.key or (wanted.app and totals.in_parts(wanted)):
            return days, await self._from_breakdowns(upstream, wanted, days, ignored)
        if totals.in_parts(wanted):
            return days, await self._from_sums(upstream, wanted, days, ignored)
        sums: Sequence[Sums]
        if wanted.app:
            sums = [each async for each in self._matching(upstream, days.days, wanted)]
        else:
            sums = await self._of(upstream, days.spans(today), wanted.team, totals.MEASURES)
        return days, Totals(sums=added(sums), not_applied=ignored)

    async def today(self, upstream: str, teams: Sequence[str]) -> Mapping[str, Sums]:
        """Return the sums of today of some teams; "" stands for all."""
        day = (await self._rollups.today()).isoformat()
        some = [team for team in teams if _may_be_team(team)]
        [found] = await self._sums.of(upstream, [day], some, MEASURES)
        return {team: found.get(team, {}) for team in teams}

    async def month(self, upstream: str) -> Mapping[str, Sums]:
        """Return the sums of this month of each team that was active, and under "" of all."""
        today = await self._rollups.today()
        return await self._sums.teams(upstream, month_of(today.isoformat()))

    async def _of(
        self, upstream: str, spans: Sequence[str], of: str, measures: Sequence[str]
    ) -> Sequence[Sums]:
        if not _may_be_team(of):
            return [{} for _ in spans]
        return [each[of] for each in await self._sums.of(upstream, spans, [of], measures)]

    async def _matching(
        self, upstream: str, days: Sequence[str], wanted: Filter
    ) -> AsyncIterator[Sums]:
        match = totals.pattern(wanted, broken_down=False)
        async for _, fields in self._rollups.matching(upstream, days, match):
            yield totals.summed(wanted, fields)

    async def _from_sums(
        self, upstream: str, wanted: Filter, days: Period, ignored: tuple[str, ...]
    ) -> Totals:
        parts, all_parts = totals.parts(wanted), totals.parts(Filter(team=wanted.team))
        found = await self._sums.of(upstream, days.days, parts, totals.MEASURES)
        booked = await self._sums.of(upstream, days.days, [wanted.team, *all_parts], totals.BOOKED)
        # A day's parts may be more than all of it, where half of a script was kept, see `torn`.
        undivided = [
            max(0, totals.booked([each.pop(wanted.team)]) - totals.booked(each.values()))
            for each in booked
        ]
        return Totals(
            sums=added(sums for each in found for sums in each.values()),
            not_applied=ignored,
            undivided_days=sum(each != 0 for each in undivided),
            undivided=sum(undivided),
        )

    async def _from_breakdowns(
        self, upstream: str, wanted: Filter, days: Period, ignored: tuple[str, ...]
    ) -> Totals:
        has = await self._rollups.have_breakdowns(upstream, days.days)
        whole = [day for day, there in zip(days.days, has, strict=True) if there]
        sums: list[Sums] = []
        unnamed = 0
        match = totals.pattern(wanted, broken_down=True)
        async for _, fields in self._rollups.matching(upstream, whole, match, broken_down=True):
            found, other = totals.divided(wanted, fields)
            sums.append(found)
            unnamed += other
        rest = [each for each in days.days if each not in set(whole)]
        undivided = [each async for each in self._matching(upstream, rest, wanted) if each]
        return Totals(
            sums=added(sums),
            not_applied=ignored,
            undivided_days=len(undivided),
            undivided=totals.booked(undivided) + unnamed,
        )


def subject(team: str, app: str) -> str:
    """Return the team or "team/app" that is meant; "" for all.

    Args:
        team: Its name, or "".
        app: "team/app", or its name alone where the team is given, or "".

    Raises:
        Invalid: An app is named without its team, or with another one.
    """
    of, slash, name = app.rpartition("/")
    if not app:
        return team
    if not (of or team):
        raise Invalid(f"name the app as TEAM/APP, not {app!r}")
    if slash and team not in {"", of}:
        raise Invalid(f"app {app} is not one of team {team}")
    return f"{of or team}/{name}"


def _may_be_team(name: str) -> bool:
    """Return whether a name that somebody asks for is not that of a part of a team's sums."""
    return "|" not in name


def _begins(step: Step, last: date) -> date:
    if step == "hour":
        return last
    first = last.replace(day=1)
    for _ in range(11 if step == "month" else 0):
        first = (first - timedelta(days=1)).replace(day=1)
    return first

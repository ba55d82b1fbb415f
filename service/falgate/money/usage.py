"""Usage reports: what teams and apps asked for, bought and saved, grouped as requested."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal, get_args

import msgspec

from falgate.core.calendar import days_of, month_of
from falgate.core.events import Source
from falgate.core.money import dollars
from falgate.core.problems import Invalid

Group = Literal["team", "app", "key", "model", "quality", "outcome", "day"]
GROUPS: tuple[Group, ...] = get_args(Group)
PARTS: frozenset[Group] = frozenset(("key", "model", "quality", "outcome"))
"""Groups that the roll-ups by team and app do not tell apart, so that a breakdown is needed."""

ANSWERED = "answered"
"""Outcome of responses; purchases have the outcome that their job was closed with."""

COLUMN: Mapping[Source, str] = {
    "hit": "hits",
    "derived": "hits",
    "partial": "partial",
    "coalesced": "joined",
    "miss": "misses",
    "bypass": "fresh",
}
"""The column that counts a response, besides `answers`; each response is in exactly one."""

SAVED_BY: Mapping[Source, str] = {
    "hit": "saved_hit",
    "derived": "saved_derived",
    "partial": "saved_partial",
    "coalesced": "saved_joined",
}
"""The measures that tell why responses saved what `saved` counts; earlier versions lack them."""

CURRENCY = "USD"
COUNTS = (
    *("answers", "hits", "partial", "joined", "misses", "fresh"),
    *("purchases", "bought", "reused"),
)
MONEY: Mapping[str, str] = {
    "list": "list",
    "booked": "billed",
    "overrun": "overrun",
    "without_pictures": "without_pictures",
    "reconciled": "reconciled",
    "saved": "saved",
}
"""Money columns, and the measures that they show.

The measure for what is booked is called "billed" for historical reasons: it was once taken for what
fal bills.
"""

DAYS_MAX = 3_660
"""Ten years, the most that one command reads."""

_YEARS = range(2000, 3000)


class Row(msgspec.Struct, frozen=True):
    """A row of a report.

    Attributes:
        group: The row's values of the requested groups, in the order of the request.
        measures: Counts and micro-USD, by the names in `COUNTS` and the measures in `MONEY`.
    """

    group: tuple[str, ...]
    measures: Mapping[str, int]


class Period(msgspec.Struct, frozen=True):
    """A range of local days.

    Attributes:
        first: The first day.
        last: The last day, inclusive.
    """

    first: date
    last: date

    @property
    def days(self) -> list[str]:
        """Each day, as ISO date."""
        number = (self.last - self.first).days + 1
        return [(self.first + timedelta(days=each)).isoformat() for each in range(number)]

    def spans(self, today: date) -> list[str]:
        """Return the same days in fewer parts: months, as "2026-11", and days of the others.

        A month is one part if no day of it up to today is missing.
        """
        by_month: defaultdict[str, list[str]] = defaultdict(list)
        for day in self.days:
            by_month[month_of(day)].append(day)
        found: list[str] = []
        for month, days in by_month.items():
            whole = days_of(month)
            ends = min(whole[-1], today.isoformat())
            found += [month] if days[0] == whole[0] and days[-1] >= ends else days
        return found


def period(first: date | None, last: date | None, today: date, days_max: int = DAYS_MAX) -> Period:
    """Return the period between two days; by default this month up to today.

    Raises:
        Invalid: The days are in the wrong order, too far apart, or not plausible.
    """
    plausible(first, last)
    ends = last or max(today, first or today)
    begins = first or ends.replace(day=1)
    if begins > ends:
        raise Invalid(f"the period ends on {ends}, before it begins on {begins}")
    if (ends - begins).days >= days_max:
        raise Invalid(f"the period has more than {days_max} days: choose a shorter one")
    return Period(begins, ends)


def plausible(*days: date | None) -> None:
    """Check that days are in a plausible range of years.

    Raises:
        Invalid: One is not.
    """
    for day in days:
        if day is not None and day.year not in _YEARS:
            raise Invalid(f"{day} is not in the years {_YEARS[0]} to {_YEARS[-1]}")


def groups(text: str) -> tuple[Group, ...]:
    """Parse the groups of a report, such as "team,app,day"; "" for a single row.

    Raises:
        Invalid: The text has an unknown group, or one group twice.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        found = msgspec.convert(names, tuple[Group, ...])
    except msgspec.ValidationError:
        raise Invalid(f"{text!r} is not a comma-separated list of {', '.join(GROUPS)}") from None
    if len(set(found)) < len(found):
        raise Invalid(f"{text!r} names a group twice")
    return found


class Report:
    """Sums of the days' roll-ups, in memory that grows only with the number of rows."""

    def __init__(self, by: Sequence[Group], only: str = "") -> None:
        """Group by `by`; count only the "team" or "team/app" `only`, if given."""
        self._by = tuple(by)
        self._only = only
        self._rows: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)

    @property
    def broken_down(self) -> bool:
        """Whether the report needs the days' breakdowns."""
        return not PARTS.isdisjoint(self._by)

    def add(self, day: str, measures: Mapping[str, str], breakdown: Mapping[str, str]) -> None:
        """Add a day: values by "<team>/<app>:<measure>", and by "<subject>:<measure>".

        What the breakdown lacks is counted with empty key, model, quality and outcome. It was
        recorded by a version without breakdowns, or its breakdown has been swept.
        """
        rest = {field: int(number) for field, number in measures.items()}
        if self.broken_down:
            for field, number in breakdown.items():
                subject, _, measure = field.rpartition(":")
                app, parts = spelt(subject)
                self._count(day, app, parts, measure, int(number))
                whole = f"{app}:{measure}"
                rest[whole] = rest.get(whole, 0) - int(number)
        for field, left in rest.items():
            app, _, measure = field.rpartition(":")
            self._count(day, app, ("",) * 4, measure, left)

    def _count(self, day: str, app: str, parts: Sequence[str], measure: str, number: int) -> None:
        team, _, name = app.partition("/")
        if not number or self._only not in {"", team, app}:
            return
        key, model, quality, outcome = parts
        values: dict[Group, str] = {
            "team": team, "app": name, "key": key, "model": model, "quality": quality,
            "outcome": outcome, "day": day,
        }  # fmt: skip
        self._rows[tuple(values[name] for name in self._by)][measure] += number

    def rows(self) -> list[Row]:
        """Return all rows, sorted by group."""
        return [Row(group, self._rows[group]) for group in sorted(self._rows)]

    def total(self) -> Row:
        """Return the sum of all rows."""
        total: Counter[str] = Counter()
        for measures in self._rows.values():
            total.update(measures)
        return Row(("",) * len(self._by), total)


def spell(  # noqa: PLR0917 - the parts of one name
    team: str, app: str, key: str, model: str, quality: str, outcome: str
) -> str:
    """Return the subject that a number is counted under, see `money/store/_usage.lua`."""
    return f"{team}/{app}/{key}|{model}|{quality}|{outcome}"


def spelt(subject: str) -> tuple[str, Sequence[str]]:
    """Return a subject's "team/app", and its key, model, quality and outcome."""
    whose, *parts = subject.split("|")
    app, _, key = whose.rpartition("/")
    return app, (key, *parts)


def measured() -> tuple[str, ...]:
    """Return the names of all measures, as the roll-ups have them."""
    return (*COUNTS, *MONEY.values(), *dict.fromkeys(SAVED_BY.values()))


def columns(by: Iterable[Group]) -> tuple[str, ...]:
    """Return the column names of a report."""
    return (*by, *COUNTS, *(f"{name}_usd" for name in MONEY))


def cells(row: Row) -> tuple[str | int, ...]:
    """Return a row's values, money in dollars."""
    counts = (row.measures.get(name, 0) for name in COUNTS)
    money = (dollars(row.measures.get(measure, 0)) for measure in MONEY.values())
    return (*row.group, *counts, *money)


def share_reconciled(total: Mapping[str, int]) -> str | None:
    """Return the share, 0 to 1, of what was booked, overage included, that fal's billing confirmed.

    None if nothing is booked.
    """
    booked = total.get("billed", 0) + total.get("overrun", 0)
    return f"{total.get('reconciled', 0) / booked:.4f}" if booked > 0 else None


def told(by: Sequence[Group], days: Period, report: Report) -> dict[str, Any]:
    """Return the whole report as a JSON object, with amounts in dollars."""

    def named(row: Row) -> dict[str, str | int]:
        return dict(zip(columns(by), cells(row), strict=True))

    total = named(report.total())
    for name in by:
        del total[name]
    return {
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "currency": CURRENCY,
        "rows": [named(row) for row in report.rows()],
        "total": total,
        "reconciled_share": share_reconciled(report.total().measures),
    }


def as_csv(by: Sequence[Group], days: Period, report: Report) -> str:
    """Return the report as CSV: a header, the rows and a total, each with currency and period.

    The names in it come from the operator's records, and none begins with a character that a
    spreadsheet would take for a formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*columns(by), "currency", "from", "to"))
    about = (CURRENCY, days.first.isoformat(), days.last.isoformat())
    total = report.total()
    named = Row(("total", *total.group[1:]), total.measures) if by else total
    for row in (*(report.rows() if by else ()), named):
        writer.writerow((*cells(row), *about))
    return text.getvalue()

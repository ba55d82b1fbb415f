"""Usage: what teams and apps asked for, bought and saved, grouped as somebody wants to see it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal, get_args

import msgspec

from falgate.core.admin_errors import Invalid
from falgate.core.money import dollars

Group = Literal["team", "app", "day"]
GROUPS: tuple[Group, ...] = get_args(Group)

COUNTS = ("answers", "hits", "purchases", "bought", "reused")
MONEY = ("list", "billed", "overrun", "saved", "without_pictures")
DAYS_MAX = 3_660
"""Ten years: one command reads no more."""

_YEARS = range(2000, 3000)


class Row(msgspec.Struct, frozen=True):
    """One line of a report.

    Attributes:
        group: The values that it is about, in the order that was asked for.
        measures: Numbers, and micro-USD, by the names in `COUNTS` and `MONEY`.
    """

    group: tuple[str, ...]
    measures: Mapping[str, int]


class Period(msgspec.Struct, frozen=True):
    """Whole local days.

    Attributes:
        first: The first one.
        last: The last one, which is part of it.
    """

    first: date
    last: date

    @property
    def days(self) -> list[str]:
        """Each, as roll-ups name it."""
        number = (self.last - self.first).days + 1
        return [(self.first + timedelta(days=each)).isoformat() for each in range(number)]


def period(first: date | None, last: date | None, today: date) -> Period:
    """The days from one to another; without them, this month up to today.

    Raises:
        Invalid: They are in the wrong order, too many, or not of our time.
    """
    plausible(first, last)
    ends = last or max(today, first or today)
    begins = first or ends.replace(day=1)
    if begins > ends:
        raise Invalid(f"the period ends on {ends}, before it begins on {begins}")
    if (ends - begins).days >= DAYS_MAX:
        raise Invalid(f"the period has more than {DAYS_MAX} days: ask for less at once")
    return Period(begins, ends)


def plausible(*days: date | None) -> None:
    """Let days of our time pass; others have no place in a ledger.

    Raises:
        Invalid: One is not.
    """
    for day in days:
        if day is not None and day.year not in _YEARS:
            raise Invalid(f"{day} is not a day of the years {_YEARS[0]} to {_YEARS[-1]}")


def groups(text: str) -> tuple[Group, ...]:
    """Read what to group by, such as "team,app,day"; "" for one row of everything.

    Raises:
        Invalid: It is none of these, or one of them twice.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        found = msgspec.convert(names, tuple[Group, ...])
    except msgspec.ValidationError:
        raise Invalid(f"{text!r} is not of {', '.join(GROUPS)}, by commas") from None
    if len(set(found)) < len(found):
        raise Invalid(f"{text!r} names one twice")
    return found


class Report:
    """Adds the days' roll-ups up, in memory that grows with its rows only."""

    def __init__(self, by: Sequence[Group]) -> None:
        """Group by these."""
        self._by = tuple(by)
        self._rows: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)

    def add(self, day: str, measures: Mapping[str, str]) -> None:
        """Add one day: numbers by "<team>/<app>:<measure>"."""
        for field, number in measures.items():
            subject, _, measure = field.rpartition(":")
            team, _, app = subject.partition("/")
            values = {"team": team, "app": app, "day": day}
            self._rows[tuple(values[name] for name in self._by)][measure] += int(number)

    def rows(self) -> list[Row]:
        """All of them, in the order of their groups."""
        return [Row(group, self._rows[group]) for group in sorted(self._rows)]

    def total(self) -> Row:
        """The sum of all."""
        total: Counter[str] = Counter()
        for measures in self._rows.values():
            total.update(measures)
        return Row(("",) * len(self._by), total)


def columns(by: Iterable[Group]) -> tuple[str, ...]:
    """The names of a row's values."""
    return (*by, *COUNTS, *(f"{name}_usd" for name in MONEY))


def cells(row: Row) -> tuple[str | int, ...]:
    """A row's values, money in dollars."""
    counts = (row.measures.get(name, 0) for name in COUNTS)
    money = (dollars(row.measures.get(name, 0)) for name in MONEY)
    return (*row.group, *counts, *money)


def told(by: Sequence[Group], days: Period, report: Report) -> dict[str, Any]:
    """The whole report, amounts in dollars."""

    def named(row: Row) -> dict[str, str | int]:
        return dict(zip(columns(by), cells(row), strict=True))

    total = named(report.total())
    for name in by:
        del total[name]
    return {
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "rows": [named(row) for row in report.rows()],
        "total": total,
    }

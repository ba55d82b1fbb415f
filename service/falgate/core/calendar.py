"""Budget windows: hours, days, weeks and months in the organisation's time zone."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, get_args

import msgspec

# Windows are computed whenever they are needed. There is no job at midnight that could be late:
# the counters of a new window simply start empty.

Kind = Literal["hour", "day", "week", "month", "total"]
"""How often a budget resets; "total" never does."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_FOREVER_MS = 10**15 - 1


class Window(msgspec.Struct, frozen=True):
    """One window of a budget.

    Attributes:
        kind: See `Kind`.
        id: Identifies the window within its kind: "2026-11-22T14+0100", "2026-11-22", the first day
            of the week, "2026-11" or "all". Contains no colon and no space.
        starts_ms: First instant, in milliseconds since 1970, UTC.
        ends_ms: First instant after the window, likewise.
    """

    kind: Kind
    id: str
    starts_ms: int
    ends_ms: int

    @property
    def name(self) -> str:
        """The window as "<kind>:<id>", the form used in jobs, counters and the ledger."""
        return f"{self.kind}:{self.id}"


class Calendar(msgspec.Struct, frozen=True):
    """The time zone and the first day of the week by which budgets are counted.

    Attributes:
        zone: Windows begin at midnight in this zone, so a day may have 23 or 25 hours.
        week_starts: The first day of a week.
    """

    zone: tzinfo
    week_starts: Weekday = "monday"

    @property
    def name(self) -> str:
        """Zone and first weekday in one string; all instances of one ledger must agree on it."""
        return f"{self.zone}/{self.week_starts}"

    def windows(self, now_ms: int) -> tuple[Window, ...]:
        """Return the windows that contain an instant, one of each kind, in the order of `KINDS`."""
        now = datetime.fromtimestamp(now_ms / 1000, self.zone)
        today = now.date()
        monday_based = (today.weekday() - WEEKDAYS.index(self.week_starts)) % 7
        week = today - timedelta(days=monday_based)
        month = today.replace(day=1)
        next_month = (month + timedelta(days=31)).replace(day=1)
        return (
            _hour(now),
            self._days("day", today.isoformat(), today, today + timedelta(days=1)),
            self._days("week", week.isoformat(), week, week + timedelta(days=7)),
            self._days("month", f"{month:%Y-%m}", month, next_month),
            Window("total", "all", 0, _FOREVER_MS),
        )

    def day(self, day: date) -> Window:
        """Return the window of a local day."""
        return self._days("day", day.isoformat(), day, day + timedelta(days=1))

    def resets_at(self, window: Window) -> str | None:
        """Return when a window ends, as ISO 8601 in the calendar's zone; None if it never does."""
        if window.ends_ms >= _FOREVER_MS:
            return None
        ends = datetime.fromtimestamp(window.ends_ms / 1000, self.zone)
        return ends.isoformat(timespec="seconds")

    def _days(self, kind: Kind, name: str, first: date, after: date) -> Window:
        return Window(kind, name, self._midnight_ms(first), self._midnight_ms(after))

    def _midnight_ms(self, day: date) -> int:
        """Return a day's first instant: midnight, or the first instant after a gap at midnight."""
        local = datetime.combine(day, time(), self.zone)
        return round(local.astimezone(UTC).timestamp() * 1000)


def _hour(now: datetime) -> Window:
    """Return the hour of the local clock that contains `now`.

    An hour that occurs twice has two ids, told apart by their UTC offsets. Where a clock shifts by
    half an hour, the windows on both sides share that half; an instant belongs to the hour that the
    clock shows, so nothing is counted twice.
    """
    into = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    starts = now.astimezone(UTC) - into
    starts_ms = round(starts.timestamp() * 1000)
    return Window("hour", f"{now:%Y-%m-%dT%H%z}", starts_ms, starts_ms + 3_600_000)


def month_of(day: str) -> str:
    """Return the id of the month of a day, "2026-11" of "2026-11-22"."""
    return day[:7]


def days_of(month: str) -> list[str]:
    """Return the ids of all days of a month, such as "2026-11"."""
    number = monthrange(int(month[:4]), int(month[5:]))[1]
    return [f"{month}-{day:02}" for day in range(1, number + 1)]

"""The calendar of budgets: which windows contain an instant, in the organisation's own zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, get_args

import msgspec

Kind = Literal["hour", "day", "week", "month", "total"]
"""How often a budget starts anew; "total" never does."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_FOREVER_MS = 10**15 - 1


class Window(msgspec.Struct, frozen=True):
    """One window of a budget.

    Attributes:
        kind: See `Kind`.
        id: Names it among its kind: "2026-11-22T14+0100", "2026-11-22", the week's first day,
            "2026-11" or "all". It holds no colon and no space.
        starts_ms: First instant, milliseconds since 1970, UTC.
        ends_ms: First instant after it, likewise.
    """

    kind: Kind
    id: str
    starts_ms: int
    ends_ms: int

    @property
    def name(self) -> str:
        """Kind and id in one word, as jobs, counters and the ledger spell it."""
        return f"{self.kind}:{self.id}"


class Calendar(msgspec.Struct, frozen=True):
    """How the organisation counts time.

    Attributes:
        zone: Whose midnights count; days are as long as its clock makes them.
        week_starts: The first day of a week.
    """

    zone: tzinfo
    week_starts: Weekday = "monday"

    @property
    def name(self) -> str:
        """Zone and first day in one word: every instance of one ledger must have the same."""
        return f"{self.zone}/{self.week_starts}"

    def windows(self, now_ms: int) -> tuple[Window, ...]:
        """The windows that contain an instant, one of each kind, in the order of `KINDS`."""
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
        """A local day's window."""
        return self._days("day", day.isoformat(), day, day + timedelta(days=1))

    def resets_at(self, window: Window) -> str | None:
        """When a window ends, for people and in their zone; None when it never does."""
        if window.ends_ms >= _FOREVER_MS:
            return None
        ends = datetime.fromtimestamp(window.ends_ms / 1000, self.zone)
        return ends.isoformat(timespec="seconds")

    def _days(self, kind: Kind, name: str, first: date, after: date) -> Window:
        return Window(kind, name, self._midnight_ms(first), self._midnight_ms(after))

    def _midnight_ms(self, day: date) -> int:
        """A day's first instant; where the zone skips midnight, the first one after the gap."""
        local = datetime.combine(day, time(), self.zone)
        return round(local.astimezone(UTC).timestamp() * 1000)


def _hour(now: datetime) -> Window:
    """The hour of the local clock. An hour that comes twice has two ids, by its offset.

    Where a clock moves by half an hour, the hours on both sides share that half; an instant is in
    the one that the clock shows, so that nothing is counted twice.
    """
    into = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    starts = now.astimezone(UTC) - into
    starts_ms = round(starts.timestamp() * 1000)
    return Window("hour", f"{now:%Y-%m-%dT%H%z}", starts_ms, starts_ms + 3_600_000)

"""Budgets: which windows are in force at an instant, and who is charged for a purchase."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

import msgspec

Kind = Literal["day", "total"]
"""How often a budget starts anew: at midnight of the organisation's zone, or never."""

_FOREVER_MS = 10**15 - 1


class Window(msgspec.Struct, frozen=True):
    """One window of a budget.

    Attributes:
        kind: See `Kind`.
        id: Names it among its kind: the local date, or "all".
        starts_ms: First instant, milliseconds since 1970, UTC.
        ends_ms: First instant after it, likewise.
    """

    kind: Kind
    id: str
    starts_ms: int
    ends_ms: int


class Account(msgspec.Struct, frozen=True):
    """Somebody whose spending is counted, and may be limited.

    Attributes:
        level: What it is.
        id: Its name among its level.
    """

    level: Literal["organisation"]
    id: str


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one budget stands, all in micro-USD.

    Attributes:
        limit: None where the spending is only counted.
        spent: Settled.
        held: Set aside for purchases under way.
    """

    account: Account
    window: Window
    limit: int | None
    spent: int
    held: int


ORGANISATION = Account("organisation", "main")


def windows(now_ms: int, zone: tzinfo) -> tuple[Window, ...]:
    """The windows that contain an instant; days are as long as the zone's clock makes them."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    return (
        Window(
            "day",
            today.isoformat(),
            _midnight_ms(datetime.combine(today, time(), zone)),
            _midnight_ms(datetime.combine(today + timedelta(days=1), time(), zone)),
        ),
        Window("total", "all", 0, _FOREVER_MS),
    )


def resets_at(window: Window, zone: tzinfo) -> str | None:
    """When a window ends, for people and in their zone; None when it never does."""
    if window.ends_ms >= _FOREVER_MS:
        return None
    return datetime.fromtimestamp(window.ends_ms / 1000, zone).isoformat(timespec="seconds")


def _midnight_ms(local: datetime) -> int:
    """An instant as milliseconds; where a zone skips midnight, the first instant after the gap."""
    return round(local.astimezone(UTC).timestamp() * 1000)

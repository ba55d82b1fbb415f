"""Changes of records as people read them, field by field, in the words of previews; pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from falgate.admin.field_words import spelt
from falgate.console.diff import Difference, differences, worded
from falgate.console.words import duration, size, usd
from falgate.core.money import dollars

_MONEY = frozenset({"budget", "overage", "raise", "reset"})
"""Actions whose whole numbers are amounts in micro-USD, in the audit log."""

_PER_SECOND = {"s": 1, "ms": 1000}
_SECONDS_OF_TIMES = 10**9
"""From here on a number of seconds is a time, in this century; below it is a duration."""


def audited(line: Mapping[str, Any], zone: tzinfo) -> list[Difference]:
    """Return what a line of the audit log says that changed: records as they are stored."""
    money = line["action"] in _MONEY
    return differences(
        line["before"], line["after"], lambda path, value: _read(path, value, zone, money=money)
    )


def previewed(change: Mapping[str, Any], zone: tzinfo) -> list[Difference]:
    """Return what a preview says that would change: records as the admin API shows them."""
    return differences(
        change["before"], change["after"], lambda path, value: _read(path, value, zone)
    )


def _read(path: str, value: Any, zone: tzinfo, *, money: bool = False) -> str:
    """Return a field's value as it is read, with the unit that its name says."""
    if money and isinstance(value, int) and not isinstance(value, bool):
        return usd(dollars(value))
    return _measured(path, value, zone) or spelt(path, value) or worded(value)


def _measured(path: str, value: Any, zone: tzinfo) -> str:
    """Return a time, a duration, a size or an amount; "" for what is none of them."""
    unit = path.rpartition("_")[2]
    if isinstance(value, bool) or not value:
        return ""
    if isinstance(value, int) and unit in _PER_SECOND:
        seconds = value / _PER_SECOND[unit]
        is_time = seconds >= _SECONDS_OF_TIMES
        return _time(datetime.fromtimestamp(seconds, zone)) if is_time else duration(seconds)
    if isinstance(value, int) and unit == "bytes":
        return size(value)
    if isinstance(value, str) and unit in {"at", "until"}:
        return _time(datetime.fromisoformat(value).astimezone(zone))
    return usd(value) if isinstance(value, str) and unit == "usd" else ""


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"

"""Records of the audit log as people read them: amounts in dollars, and times; pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from falgate.console.diff import Difference, differences
from falgate.console.words import usd
from falgate.core.money import dollars

_MONEY = frozenset({"budget", "overage", "raise", "reset"})
"""Actions whose whole numbers are amounts in micro-USD."""

_SECONDS_OF_TIMES = 10**9
"""From here on a number of seconds is a time, in this century; below it is a duration."""


def changes(line: Mapping[str, Any], zone: tzinfo) -> list[Difference]:
    """Return what a line of the audit log says that changed, field by field."""
    before, after = (as_read(line["action"], line[name], zone) for name in ("before", "after"))
    return differences(before, after)


def as_read(action: str, record: Any, zone: tzinfo) -> Any:
    """Return a record as it is read.

    Args:
        action: What was done with it, as in the audit log.
        record: As it was stored; None if there was none.
        zone: In which times are shown.
    """
    return _read("", record, zone, money=action in _MONEY)


def _read(name: str, value: Any, zone: tzinfo, *, money: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _read(key, each, zone, money=money) for key, each in value.items()}
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if money:
        return usd(dollars(value))
    if name.endswith("_s") and value >= _SECONDS_OF_TIMES:
        return f"{datetime.fromtimestamp(value, zone):%Y-%m-%d %H:%M}"
    return value

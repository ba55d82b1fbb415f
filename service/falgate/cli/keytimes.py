"""Times as they are typed for keys: when one expires, how long a secret stays good."""

import re
from datetime import UTC, datetime
from typing import Any

import click

_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")


class Expiry(click.ParamType[int]):
    """A day or an instant to come, as seconds since 1970; 0 for never."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read ISO 8601, in UTC unless it names an offset."""
        if isinstance(value, int) or value == "never":
            return value if isinstance(value, int) else 0
        try:
            read = datetime.fromisoformat(value)
            return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
        except (OverflowError, ValueError):
            self.fail(f"{value!r} is no time, such as 2027-01-31 or never", param, ctx)


class Duration(click.ParamType[int]):
    """A duration, "24h", as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a whole number and its unit: s, m, h or d; without one, seconds."""
        if isinstance(value, int):
            return value
        found = _DURATION.fullmatch(value)
        if not found:
            self.fail(f"{value!r} is no duration, such as 90s, 30m, 24h or 7d", param, ctx)
        return int(found[1]) * _UNITS_S[found[2]]


EXPIRY = Expiry()
DURATION = Duration()

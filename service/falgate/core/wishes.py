"""What a caller's headers ask for beside the body, in fal's names."""

import math
from collections.abc import Mapping

import msgspec

from falgate.core.job import Priority

_START = ("x-fal-request-start-timeout", "x-fal-request-timeout")


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """How a request would like to be treated.

    Attributes:
        start_within_s: Give up unless it is started within so many seconds; 0: not said.
        priority: "low" goes after all that is normal.
    """

    start_within_s: float = 0
    priority: Priority = "normal"


def read(headers: Mapping[str, str]) -> Wishes:
    """Read them; what makes no sense is ignored, as fal does. The newer name wins."""
    start_within_s = next((s for name in _START if (s := _seconds(headers.get(name, "")))), 0.0)
    low = headers.get("x-fal-queue-priority", "").strip().lower() == "low"
    return Wishes(start_within_s=start_within_s, priority="low" if low else "normal")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0
    return seconds if 0 < seconds < math.inf else 0

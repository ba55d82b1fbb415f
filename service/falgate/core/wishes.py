"""What a caller's headers ask for beside the body, in fal's names."""

import re
from collections.abc import Mapping

import msgspec

from falgate.core.job import Fresh, Priority

_PASSED = ("x-fal-runner-hint", "x-fal-store-io")
_DECIMAL = re.compile(r"[0-9]{1,7}(\.[0-9]{0,9})?|\.[0-9]{1,9}")
_PASSABLE = re.compile(r"[!-~]{1,256}")
_START = ("x-fal-request-start-timeout", "x-fal-request-timeout")


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """How a request would like to be treated.

    Attributes:
        start_within_s: Give up unless it is started within so many seconds; 0: not said.
        priority: "low" goes after all that is normal.
        fresh: Whether to buy although there may be pictures, see `Fresh`.
        passed: Headers for fal, as they came; by lower-case name.
    """

    start_within_s: float = 0
    priority: Priority = "normal"
    fresh: Fresh = ""
    passed: dict[str, str] = {}


def read(headers: Mapping[str, str]) -> Wishes:
    """Read them; what makes no sense is ignored, as fal does. The newer name wins."""
    start_within_s = next((s for name in _START if (s := _seconds(headers.get(name, "")))), 0.0)
    low = headers.get("x-fal-queue-priority", "").strip().lower() == "low"
    passed = {name: text for name in _PASSED if _PASSABLE.fullmatch(text := headers.get(name, ""))}
    return Wishes(
        start_within_s=start_within_s,
        priority="low" if low else "normal",
        fresh=_fresh(headers),
        passed=passed,
    )


def _seconds(text: str) -> float:
    return float(text) if _DECIMAL.fullmatch(text.strip()) else 0


def _fresh(headers: Mapping[str, str]) -> Fresh:
    """RFC 9111 section 5.2.1: `no-cache` asks for new pictures, `no-store` to keep none of them."""
    directives = {part.strip().lower() for part in headers.get("cache-control", "").split(",")}
    if "no-store" in directives:
        return "aside"
    return "replace" if "no-cache" in directives else ""

"""fal's request options that callers may set by header."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

Priority = Literal["normal", "low"]
"""fal's own values: "low" is served after everything that is "normal"."""


_PASSED = ("x-fal-runner-hint", "x-fal-store-io")
_DECIMAL = re.compile(r"[0-9]{1,7}(\.[0-9]{0,9})?|\.[0-9]{1,9}")
_PASSABLE = re.compile(r"[!-~]{1,256}")
_START = ("x-fal-request-start-timeout", "x-fal-request-timeout")
_READ = frozenset({*_PASSED, *_START, "x-fal-queue-priority"})


class FalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one request.

    Attributes:
        start_within_s: Give up unless the request starts within this many seconds; 0 means not set.
        priority: "low" is served after everything that is "normal".
        passed: Headers that are passed on to fal unchanged, by lower-case name.
    """

    start_within_s: float = 0
    priority: Priority = "normal"
    passed: dict[str, str] = {}


_NONE = FalOptions()


def read(headers: Mapping[str, str]) -> FalOptions:
    """Parse the options from headers; like fal, ignore invalid ones. The newer name wins."""
    if _READ.isdisjoint(headers):
        return _NONE
    start_within_s = next((s for name in _START if (s := _seconds(headers.get(name, "")))), 0.0)
    low = headers.get("x-fal-queue-priority", "").strip().lower() == "low"
    passed = {name: text for name in _PASSED if _PASSABLE.fullmatch(text := headers.get(name, ""))}
    return FalOptions(
        start_within_s=start_within_s,
        priority="low" if low else "normal",
        passed=passed,
    )


def _seconds(text: str) -> float:
    return float(text) if _DECIMAL.fullmatch(text.strip()) else 0

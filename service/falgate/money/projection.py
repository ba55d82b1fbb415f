"""What a window may have spent when it ends, if it goes on as it began."""

from falgate.core.calendar import Window
from falgate.core.money import Micros

ENOUGH_PERCENT = 10
"""How much of a window must have passed, so that a few purchases do not become a forecast."""


def forecast(window: Window, spent: Micros, now_ms: int) -> Micros | None:
    """Return spent / the share of the window that has passed, in whole micro-USD, rounded up.

    It knows neither nights nor weekends nor what is held. None if too little of the window has
    passed, or if it never ends.
    """
    length_ms, passed_ms = window.ends_ms - window.starts_ms, now_ms - window.starts_ms
    if window.kind == "total" or passed_ms * 100 < length_ms * ENOUGH_PERCENT:
        return None
    return -(-spent * length_ms // min(passed_ms, length_ms))

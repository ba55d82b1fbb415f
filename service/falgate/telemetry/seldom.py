"""Log throttling: of repeated lines one per minute is written, with the number suppressed."""

import time
from collections.abc import Callable, Hashable

_APART_S = 60.0
_NAMES_MAX = 100


class Seldom:
    """Decides which log lines are due, by the name of their content."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Throttle by `clock`, seconds."""
        self._clock = clock
        self._told_s: dict[Hashable, float] = {}
        self._untold: dict[Hashable, int] = {}

    def due(self, name: Hashable) -> int | None:
        """Return the number of lines suppressed since the last of this name; None: not due."""
        now_s = self._clock()
        if now_s - self._told_s.get(name, float("-inf")) < _APART_S:
            self._untold[name] = self._untold.get(name, 0) + 1
            return None
        if len(self._told_s) >= _NAMES_MAX:
            self._told_s.clear()
            self._untold.clear()
        self._told_s[name] = now_s
        return self._untold.pop(name, 0)

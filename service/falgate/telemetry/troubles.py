"""Troubles: what cannot be reached and why, in the log once a minute for each kind of error."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from falgate.core.events import Place
from falgate.core.faults import kind

_LOG = structlog.get_logger()
_APART_S = 60.0
_KINDS_MAX = 100


class Troubles:
    """Counts every failure to reach something, and writes down enough of them.

    Attributes:
        counted: By place; here, because stores and upstreams are opened before there are metrics.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds."""
        self.counted: Counter[tuple[str, ...]] = Counter()
        self._clock = clock
        self._told_s: dict[tuple[Place, str], float] = {}
        self._untold: dict[tuple[Place, str], int] = {}

    def noter(self, place: Place) -> Callable[[str], None]:
        """What notes a failure there: it is given the words of the error."""

        def note(said: str) -> None:
            self._note(place, said)

        return note

    def _note(self, place: Place, said: str) -> None:
        self.counted[(place,)] += 1
        name = place, kind(said)
        now_s = self._clock()
        if now_s - self._told_s.get(name, float("-inf")) < _APART_S:
            self._untold[name] = self._untold.get(name, 0) + 1
            return
        if len(self._told_s) >= _KINDS_MAX:
            self._told_s.clear()
            self._untold.clear()
        self._told_s[name] = now_s
        _LOG.warning("trouble", place=place, error=said, untold=self._untold.pop(name, 0))

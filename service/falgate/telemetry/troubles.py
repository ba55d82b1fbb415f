"""Connection failures: counted, and logged once a minute for each kind of error."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from falgate.core.events import Place
from falgate.core.faults import kind
from falgate.telemetry.seldom import Seldom

_LOG = structlog.get_logger()


class Troubles:
    """Counts every failure to reach an upstream or store, and logs some of them.

    Attributes:
        counted: Failures by place. Kept here because stores and upstreams open before the metrics.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Throttle the log by `clock`, seconds."""
        self.counted: Counter[tuple[str, ...]] = Counter()
        self._seldom = Seldom(clock)

    def noter(self, place: Place) -> Callable[[str], None]:
        """Return a callback that records a failure of this place, given the error message."""

        def note(said: str) -> None:
            self._note(place, said)

        return note

    def _note(self, place: Place, said: str) -> None:
        self.counted[(place,)] += 1
        untold = self._seldom.due((place, kind(said)))
        if untold is not None:
            _LOG.warning("trouble", place=place, error=said, untold=untold)

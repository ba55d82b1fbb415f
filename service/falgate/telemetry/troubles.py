"""Troubles: what cannot be reached and why, in the log once a minute for each kind of error."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from falgate.core.events import Place
from falgate.core.faults import kind
from falgate.telemetry.seldom import Seldom

_LOG = structlog.get_logger()


class Troubles:
    """Counts every failure to reach something, and writes down enough of them.

    Attributes:
        counted: By place; here, because stores and upstreams are opened before there are metrics.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds."""
        self.counted: Counter[tuple[str, ...]] = Counter()
        self._seldom = Seldom(clock)

    def noter(self, place: Place) -> Callable[[str], None]:
        """What notes a failure there: it is given the words of the error."""

        def note(said: str) -> None:
            self._note(place, said)

        return note

    def _note(self, place: Place, said: str) -> None:
        self.counted[(place,)] += 1
        untold = self._seldom.due((place, kind(said)))
        if untold is not None:
            _LOG.warning("trouble", place=place, error=said, untold=untold)

"""Deduplication of log lines about caller input: each value is logged once, up to a limit."""

from collections.abc import Hashable

_MOST = 100


class Firsts:
    """The values seen so far, up to a limit."""

    def __init__(self) -> None:
        self._met: set[Hashable] = set()

    def is_new(self, what: Hashable) -> bool:
        """Return whether a value is new and the limit is not reached."""
        if what in self._met or len(self._met) >= _MOST:
            return False
        self._met.add(what)
        return True

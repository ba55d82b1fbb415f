"""Firsts: what callers or proxies say is logged once each, and not all, since it has no end."""

from collections.abc import Hashable

_MOST = 100


class Firsts:
    """What was met so far, up to a number."""

    def __init__(self) -> None:
        self._met: set[Hashable] = set()

    def is_new(self, what: Hashable) -> bool:
        """Whether it is met for the first time, and there were not too many before."""
        if what in self._met or len(self._met) >= _MOST:
            return False
        self._met.add(what)
        return True

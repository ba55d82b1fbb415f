"""Warnings about caller input: each value is logged once, up to a limit."""

from collections.abc import Hashable

import structlog

_LOG = structlog.get_logger()
_MOST = 100


class FirstWarnings:
    """Logs the first warning about each value; the caller gets no error for it."""

    def __init__(self) -> None:
        self._met: set[Hashable] = set()

    def log(self, event: str, value: Hashable, /, **fields: str) -> None:
        """Log an event with these fields, unless its value was logged or the limit is reached."""
        if value not in self._met and len(self._met) < _MOST:
            self._met.add(value)
            _LOG.warning(event, **fields)

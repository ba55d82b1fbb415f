"""Telling how far a request is: each thing that fal says of it once, however often it is said."""

from typing import Any

from falgate.fal import progress
from falgate.fal.progress import Progress, Tell


class ProgressReporter:
    """Tells of one request."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._told: Progress | None = None

    async def tell(self, status: dict[str, Any]) -> None:
        """Say what a status object says, unless that was said already or it makes no sense."""
        found = progress.read(status)
        if self._tell is not None and found is not None and found != self._told:
            self._told = found
            await self._tell(found)

"""Progress reports of a request: each distinct status is reported once."""

from typing import Any

from falgate.fal import progress
from falgate.fal.progress import Progress, Tell


class ProgressReporter:
    """Reports the progress of one request."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._told: Progress | None = None

    async def tell(self, status: dict[str, Any]) -> None:
        """Report a status object, unless it is invalid or repeats the last one."""
        found = progress.read(status)
        if self._tell is not None and found is not None and found != self._told:
            self._told = found
            await self._tell(found)

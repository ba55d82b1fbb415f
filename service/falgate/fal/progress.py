"""Progress of a job at fal: state, queue position and log lines; each news is reported once."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

Phase = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]

_LINES_MAX = 100
_LINE_MAX = 2_000


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The last known progress of a job.

    Attributes:
        phase: fal's state of the request.
        position: Number of requests before it in fal's queue.
        logs: The model's log lines so far, at most the last 100.
        worked_s: How long the model ran, in seconds, once it is done.
    """

    phase: Phase
    position: int = 0
    logs: tuple[dict[str, Any], ...] = ()
    worked_s: float | None = None


Tell = Callable[[Progress], Awaitable[None]]
"""Callback that receives a job's progress."""


class ProgressReporter:
    """Reports the progress of one request."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._told: Progress | None = None

    async def tell(self, status: dict[str, Any]) -> None:
        """Report a status object, unless it is invalid or repeats the last one."""
        found = read(status)
        if self._tell is not None and found is not None and found != self._told:
            self._told = found
            await self._tell(found)


def read(status: dict[str, Any]) -> Progress | None:
    """Parse a status object of fal's; None if it is invalid."""
    phase = status.get("status")
    if phase not in {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}:
        return None
    position, metrics = status.get("queue_position"), status.get("metrics")
    worked_s = metrics.get("inference_time") if isinstance(metrics, dict) else None
    return Progress(
        phase=phase,
        position=position if isinstance(position, int) and position > 0 else 0,
        logs=_lines(status.get("logs")),
        worked_s=float(worked_s) if isinstance(worked_s, int | float) else None,
    )


def _lines(logs: Any) -> tuple[dict[str, Any], ...]:
    """Return the last log lines, each as fal gives it but truncated."""
    if not isinstance(logs, list):
        return ()
    kept = [line for line in logs if isinstance(line, dict)][-_LINES_MAX:]
    return tuple(
        {
            name: value[:_LINE_MAX] if isinstance(value, str) else value
            for name, value in line.items()
            if isinstance(value, str | int | float | None)
        }
        for line in kept
    )

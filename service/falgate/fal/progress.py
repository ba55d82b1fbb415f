"""What fal says of a job under way: its state, its place in the queue, the lines of its model."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

Phase = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


_LINES_MAX = 100


_LINE_MAX = 2_000


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What fal said last of a job.

    Attributes:
        phase: Its state there.
        position: Requests before it in fal's queue.
        logs: The model's own lines, all so far.
        worked_s: How long it was worked on, once it is done.
    """

    phase: Phase
    position: int = 0
    logs: tuple[dict[str, Any], ...] = ()
    worked_s: float | None = None


Tell = Callable[[Progress], Awaitable[None]]
"""Is told how far a job is."""


def read(status: dict[str, Any]) -> Progress | None:
    """What a status object of fal's says; None where it makes no sense."""
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
    """The last lines, each as fal gives it and no longer than a line may be."""
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

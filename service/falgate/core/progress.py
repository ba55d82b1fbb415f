"""How far a request is: fal's three states, made of ours and of what fal says of the job."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from falgate.core.job import State
from falgate.core.queued import QueuedRequest

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


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and how its job stands.

    Attributes:
        request: The request.
        job: State of its job; None where it has none (any more).
        position: Of the job in our own line; None when it does not wait there.
        progress: What fal said of it last, if anything.
    """

    request: QueuedRequest
    job: State | None = None
    position: int | None = None
    progress: Progress | None = None

    @property
    def phase(self) -> Phase:
        """fal's word for it."""
        if self.request.ended:
            return "COMPLETED"
        if self.job in {"reserved", "submitting"}:
            return "IN_QUEUE"
        queued = self.progress is None or self.progress.phase == "IN_QUEUE"
        return "IN_QUEUE" if self.job == "accepted" and queued else "IN_PROGRESS"

    @property
    def ahead(self) -> int:
        """How many requests go before it: in our line, or in fal's."""
        if self.position is not None:
            return self.position
        return self.progress.position if self.progress else 0

    @property
    def worked_s(self) -> float:
        """How long its pictures took to make, seconds; 0 where none were made for it."""
        if self.progress and self.progress.worked_s is not None:
            return self.progress.worked_s
        if not self.request.job:
            return 0.0
        return max(0, self.request.ended_ms - self.request.began_ms) / 1000


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

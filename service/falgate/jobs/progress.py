"""How far a request is: fal's three states, made of ours and of what fal says of the job."""

import msgspec

from falgate.fal.progress import Phase, Progress
from falgate.jobs.job import State
from falgate.jobs.request import QueuedRequest


class RequestProgress(msgspec.Struct, frozen=True, kw_only=True):
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

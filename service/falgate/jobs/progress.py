"""Progress of a request: fal's three states, derived from ours and from fal's report on the job."""

# The instance that runs a job stores fal's progress reports, once for each change, in a key that
# expires. Polls read that key and never ask fal.

import msgspec

from falgate.fal.progress import Phase, Progress
from falgate.jobs.job import State
from falgate.jobs.request import QueuedRequest


class RequestProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and the state of its job.

    Attributes:
        request: The request.
        job: State of its job; None if it has none or the job is deleted.
        position: Of the job in our own queue; None if it is not there.
        progress: What fal last reported for it, if anything.
    """

    request: QueuedRequest
    job: State | None = None
    position: int | None = None
    progress: Progress | None = None

    @property
    def phase(self) -> Phase:
        """Return fal's word for its state."""
        if self.request.ended:
            return "COMPLETED"
        if self.job in {"reserved", "submitting"}:
            return "IN_QUEUE"
        queued = self.progress is None or self.progress.phase == "IN_QUEUE"
        return "IN_QUEUE" if self.job == "accepted" and queued else "IN_PROGRESS"

    @property
    def ahead(self) -> int:
        """Return how many requests are before it, in our queue or in fal's."""
        if self.position is not None:
            return self.position
        return self.progress.position if self.progress else 0

    @property
    def worked_s(self) -> float:
        """Return how long its pictures took to make, in seconds; 0 if none were made for it."""
        if self.progress and self.progress.worked_s is not None:
            return self.progress.worked_s
        if not self.request.job:
            return 0.0
        return max(0, self.request.ended_ms - self.request.began_ms) / 1000

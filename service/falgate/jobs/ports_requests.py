"""Port of the queue: requests that are stored until they are answered and some time after."""

from collections.abc import Sequence
from typing import Protocol

from falgate.fal.progress import Progress
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Outcome, QueuedRequest, State
from falgate.jobs.verdicts import Mismatched, NewRequest, Repeated


class Requests(Protocol):
    """Queued requests. Methods raise `Unavailable` without Redis.

    A request that waits for a job is stored by `Jobs.hold`, in the same step as the hold.
    """

    async def put(
        self, keep: NewRequest, state: State, outcome: Outcome
    ) -> Repeated | Mismatched | None:
        """Store a request that has ended already; return None, or why it was not stored."""

    async def end(self, request: QueuedRequest, state: State, outcome: Outcome) -> int | None:
        """End a request as it was read.

        Return how many others wait for its flight, or None if it has another job by now or has
        ended.
        """

    async def read(self, request_id: str) -> QueuedRequest | None:
        """Return a request as it is now."""

    async def look(self, request_id: str, upstream: str) -> RequestProgress | None:
        """Return a request and the state of its job."""

    async def tell(self, job_id: str, progress: Progress) -> None:
        """Record the progress that the upstream reports for a job."""

    async def progress(self, job_id: str) -> Progress | None:
        """Return the progress that the upstream last reported for a job."""

    async def leave(self, flight: str, request_id: str) -> None:
        """Stop waiting for a flight."""

    async def depend_on(self, flight: str) -> bool:
        """Return whether queued requests wait for a flight."""

    async def waiting(self, upstream: str) -> int:
        """Return how many jobs wait for a slot."""

    async def adopt(self, upstream: str, number: int) -> list[QueuedRequest]:
        """Take over some requests that no instance looks after."""

    async def renew(
        self, upstream: str, request_ids: Sequence[str], *, lease_ms: int | None = None
    ) -> None:
        """Renew the leases of these requests."""

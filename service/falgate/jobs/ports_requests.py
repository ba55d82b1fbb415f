"""The world as the queue sees it: requests that are kept. Without Redis: `Unavailable`."""

from collections.abc import Sequence
from typing import Protocol

from falgate.fal.progress import Progress
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Outcome, QueuedRequest, State
from falgate.jobs.verdicts import Mismatched, NewRequest, Repeated


class Requests(Protocol):
    """Requests that are kept; one that waits for a job is kept by the hold."""

    async def put(
        self, keep: NewRequest, state: State, outcome: Outcome
    ) -> Repeated | Mismatched | None:
        """Keep one that has its end already; or what stands in the way."""

    async def end(self, request: QueuedRequest, state: State, outcome: Outcome) -> int | None:
        """End one as it was read; how many others wait for its flight, None when it moved on."""

    async def read(self, request_id: str) -> QueuedRequest | None:
        """One as it stands."""

    async def look(self, request_id: str, upstream: str) -> RequestProgress | None:
        """One, and how its job stands."""

    async def tell(self, job_id: str, progress: Progress) -> None:
        """Note what the upstream says of a job."""

    async def progress(self, job_id: str) -> Progress | None:
        """What the upstream said last of a job."""

    async def leave(self, flight: str, request_id: str) -> None:
        """Wait for a flight no more."""

    async def depend_on(self, flight: str) -> bool:
        """Whether kept requests wait for a flight."""

    async def waiting(self, upstream: str) -> int:
        """How many jobs wait for their turn."""

    async def adopt(self, upstream: str, number: int) -> list[QueuedRequest]:
        """Take over some that nobody looks after."""

    async def renew(
        self, upstream: str, request_ids: Sequence[str], *, lease_ms: int | None = None
    ) -> None:
        """Look after these for another lease."""

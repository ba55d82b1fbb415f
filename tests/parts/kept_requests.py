"""Kept requests in memory, as the flow is promised them by Redis."""

# ruff: noqa: D102 - the ports say what their methods do
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from falgate.fal.progress import Progress
from falgate.jobs.answer import Answer
from falgate.jobs.job import Order
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Outcome, QueuedRequest
from falgate.jobs.request import State as RequestState
from falgate.jobs.verdicts import Ended, Joined, Mismatched, NewRequest, Repeated, Verdict, Waiter

LEASE_MS = 30_000


class Requests:
    """The kept requests' port; one that waits is kept by the hold, as in the script."""

    def __init__(self, steps: Any) -> None:
        self.steps = steps
        self.kept: dict[str, QueuedRequest] = {}
        self.repeatable: dict[str, tuple[str, str]] = {}
        self.waiters: defaultdict[str, dict[str, bool]] = defaultdict(dict)
        self.told: dict[str, Progress] = {}
        self.leases_ms: dict[str, int] = {}

    def before(self, keep: NewRequest) -> Verdict | None:
        """Why a request is not to be kept (again)."""
        known = self.kept.get(keep.asked.id)
        if known and known.ended:
            return Ended()
        if known and known.job != keep.was_job:
            return Joined(known.job)
        found = self.repeatable.get(keep.asked.repeatable)
        if known or not keep.digest or not found:
            return None
        return Repeated(found[0]) if found[1] == keep.digest else Mismatched()

    def depend(self, waiter: Waiter, order: Order, job_id: str, flight: str = "") -> None:
        """Note who waits, and keep their request; its flight, if it is not the order's."""
        flight = flight or order.flight
        self.waiters[flight][waiter.request] = waiter.keep is not None
        if waiter.keep is None:
            return
        keep = waiter.keep
        known = self.kept.get(keep.asked.id)
        self.kept[keep.asked.id] = QueuedRequest(
            asked=keep.asked,
            state="open",
            began_ms=known.began_ms if known else self.steps.now_ms,
            job=job_id,
            flight=flight,
            leads=job_id == order.id,
            pool=keep.pool,
        )
        self.leases_ms[keep.asked.id] = self.steps.now_ms + LEASE_MS
        if keep.digest:
            self.repeatable[keep.asked.repeatable] = (keep.asked.id, keep.digest)

    async def put(self, keep: NewRequest, state: RequestState, outcome: Outcome) -> Any:
        async with self.steps.step("put", state):
            if before := self.before(keep):
                return None if isinstance(before, Ended) else before
            opened = QueuedRequest(asked=keep.asked, state="open", began_ms=self.steps.now_ms)
            self.kept[keep.asked.id] = ended(opened, state, outcome, self.steps.now_ms)
            if keep.digest:
                self.repeatable[keep.asked.repeatable] = (keep.asked.id, keep.digest)
            return None

    async def end(
        self, request: QueuedRequest, state: RequestState, outcome: Outcome
    ) -> int | None:
        async with self.steps.step("end", state):
            known = self.kept[request.asked.id]
            if known.ended or (state != "cancelled" and known.job != request.job):
                return None
            self.kept[known.asked.id] = ended(known, state, outcome, self.steps.now_ms)
            self.leases_ms.pop(known.asked.id, None)
            waiters = self.waiters[known.flight]
            waiters.pop(known.asked.id, None)
            self.steps.publish(known.asked.id)
            return len(waiters)

    async def read(self, request_id: str) -> QueuedRequest | None:
        async with self.steps.step("read request", look=True):
            return self.kept.get(request_id)

    async def look(self, request_id: str, upstream: str) -> RequestProgress | None:
        async with self.steps.step("look", look=True):
            request = self.kept.get(request_id)
            if request is None or request.asked.upstream != upstream:
                return None
            return RequestProgress(request=request, progress=self.told.get(request.job))

    async def tell(self, job_id: str, progress: Progress) -> None:
        async with self.steps.step("tell", look=True):
            self.told[job_id] = progress
            self.steps.publish(job_id)

    async def progress(self, job_id: str) -> Progress | None:
        async with self.steps.step("progress", look=True):
            return self.told.get(job_id)

    async def leave(self, flight: str, request_id: str) -> None:
        async with self.steps.step("leave", look=True):
            self.waiters[flight].pop(request_id, None)

    async def depend_on(self, flight: str) -> bool:
        async with self.steps.step("depend on", look=True):
            return any(self.waiters[flight].values())

    async def waiting(self, _: str) -> int:
        return 0

    async def adopt(self, upstream: str, number: int) -> list[QueuedRequest]:
        async with self.steps.step("adopt requests", look=True):
            due = [r for r, until_ms in self.leases_ms.items() if until_ms <= self.steps.now_ms]
            found = [self.kept[r] for r in due[:number]]
            return [request for request in found if request.asked.upstream == upstream]

    async def renew(
        self, _: str, request_ids: Sequence[str], *, lease_ms: int | None = None
    ) -> None:
        async with self.steps.step("renew requests", look=True):
            lease = LEASE_MS if lease_ms is None else lease_ms
            for request_id in request_ids:
                if request_id in self.leases_ms:
                    self.leases_ms[request_id] = self.steps.now_ms + lease


def ended(
    request: QueuedRequest, state: RequestState, outcome: Outcome, now_ms: int
) -> QueuedRequest:
    """A request with its end."""
    return replace(
        request,
        asked=replace(request.asked, arguments={}),
        state=state,
        ended_ms=now_ms,
        answer=outcome if isinstance(outcome, Answer) else None,
        failure=None if isinstance(outcome, Answer) else outcome,
    )

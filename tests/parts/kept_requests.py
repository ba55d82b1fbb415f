"""Kept requests in memory, as the flow is promised them by Redis."""

# ruff: noqa: D102 - the ports say what their methods do
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from falgate.fal.progress import Progress
from falgate.jobs.answer import Answer
from falgate.jobs.job import Job, Order
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Outcome, QueuedRequest
from falgate.jobs.request import State as RequestState
from falgate.jobs.verdicts import Ended, Joined, Mismatched, NewRequest, Repeated, Verdict, Waiter

LEASE_MS = 30_000


class Requests:
    """The kept requests' port; one that waits is kept by the hold, as in the script.

    Attributes:
        waiters: Of each flight: who waits, and until when in ms.
    """

    def __init__(self, steps: Any, jobs: Mapping[str, Job], line: Iterable[str]) -> None:
        self.steps = steps
        self.jobs, self.line = jobs, line
        self.kept: dict[str, QueuedRequest] = {}
        self.repeatable: dict[str, tuple[str, str]] = {}
        self.waiters: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self.told: dict[str, Progress] = {}
        self.leases_ms: dict[str, int] = {}

    def before(self, keep: NewRequest, was_job: str = "") -> Verdict | None:
        """Why a request is not to be kept (again)."""
        known = self.kept.get(keep.asked.id)
        if known and known.ended:
            return Ended()
        if known and known.job != was_job:
            return Joined(known.job)
        found = self.repeatable.get(keep.asked.repeatable)
        if known or not keep.digest or not found:
            return None
        ended_ms = self.kept[found[0]].ended_ms
        if keep.repeats_ms and ended_ms and ended_ms + keep.repeats_ms <= self.steps.now_ms:
            return None
        return Repeated(found[0]) if found[1] == keep.digest else Mismatched()

    def depend(self, waiter: Waiter, order: Order, job_id: str, flight: str = "") -> None:
        """Note who waits, and keep their request; its flight, if it is not the order's."""
        flight, keep = flight or order.flight, waiter.keep
        if waiter.request:
            until_ms = math.inf if keep else self.steps.now_ms + waiter.patience_ms
            self.waiters[flight][waiter.request] = until_ms
        if keep is None:
            return
        known = self.kept.get(keep.asked.id) or self.keep(keep)
        self.kept[keep.asked.id] = replace(
            known, job=job_id, flight=flight, leads=job_id == order.id, pool=keep.pool
        )
        self.leases_ms[keep.asked.id] = self.steps.now_ms + LEASE_MS

    def keep(self, keep: NewRequest) -> QueuedRequest:
        """A new request, which its name stands for from now on."""
        if keep.digest:
            self.repeatable[keep.asked.repeatable] = (keep.asked.id, keep.digest)
        return QueuedRequest(asked=keep.asked, state="open", began_ms=self.steps.now_ms)

    async def put(
        self, keep: NewRequest, state: RequestState, outcome: Outcome
    ) -> Repeated | Mismatched | None:
        async with self.steps.step("put", state):
            before = self.before(keep)
            if before is None:
                self.kept[keep.asked.id] = ended(self.keep(keep), state, outcome, self.steps.now_ms)
            return before if isinstance(before, Repeated | Mismatched) else None

    async def end(
        self, request: QueuedRequest, state: RequestState, outcome: Outcome
    ) -> int | None:
        async with self.steps.step("end", state):
            now_ms, known = self.steps.now_ms, self.kept.get(request.asked.id)
            if known is None or known.ended or (state != "cancelled" and known.job != request.job):
                return None
            self.kept[known.asked.id] = ended(known, state, outcome, now_ms)
            self.leases_ms.pop(known.asked.id, None)
            waiters = self.waiters[known.flight]
            waiters.pop(known.asked.id, None)
            self.steps.publish(known.asked.id)
            return len([who for who, until_ms in waiters.items() if until_ms > now_ms])

    async def read(self, request_id: str) -> QueuedRequest | None:
        async with self.steps.step("read request", look=True):
            return self.kept.get(request_id)

    async def look(self, request_id: str, upstream: str) -> RequestProgress | None:
        async with self.steps.step("look", look=True):
            request = self.kept.get(request_id)
            if request is None:
                return None
            job = self.jobs.get(request.job)
            return RequestProgress(
                request=request,
                job=job.state if job else None,
                position=self.position(request.job, upstream),
                progress=self.told.get(request.job),
            )

    def position(self, job_id: str, upstream: str) -> int | None:
        """How many jobs wait for a slot before this one; None if it does not wait."""
        line = [each for each in self.line if self.jobs[each].order.upstream == upstream]
        return line.index(job_id) if job_id in line else None

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
            return math.inf in self.waiters[flight].values()

    async def waiting(self, upstream: str) -> int:
        return sum(self.jobs[each].order.upstream == upstream for each in self.line)

    async def adopt(self, upstream: str, number: int) -> list[QueuedRequest]:
        async with self.steps.step("adopt requests", look=True):
            due = [
                (until_ms, request_id)
                for request_id, until_ms in self.leases_ms.items()
                if until_ms <= self.steps.now_ms
                and self.kept[request_id].asked.upstream == upstream
            ]
            found = [request_id for _, request_id in sorted(due)[:number]]
            self.leases_ms |= dict.fromkeys(found, self.steps.now_ms + LEASE_MS)
            return [self.kept[request_id] for request_id in found]

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

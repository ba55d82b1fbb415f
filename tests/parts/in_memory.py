"""What Redis promises to the flow, in memory: it writes down each step, and fails when told."""

# ruff: noqa: D102 - the ports say what their methods do
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any

import pytest
from kept_requests import Requests
from memory import Pools, Steps
from msgspec.structs import replace
from places import Places

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import AppPool, PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.core.picture import Picture
from falgate.jobs.job import ENDS, Fenced, Job, Order, Trouble
from falgate.jobs.settlement import Settlement, settled
from falgate.jobs.verdicts import (
    NOBODY,
    Crowded,
    Denied,
    Held,
    Joined,
    PoolChanged,
    Vacant,
    Verdict,
    Waiter,
)
from falgate.money.stop import Stop, Stopped, stoppable

LEASE_MS = 30_000


class Jobs:
    """The jobs' port: what the scripts promise, without Redis."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.jobs: dict[str, Job] = {}
        self.waiting: dict[str, None] = {}
        self.requests = Requests(steps, self.jobs, self.waiting)
        self.places = Places(steps, self.requests.kept)
        self.leases_ms: dict[str, int] = {}
        self.flights: dict[str, str | PoolVersion] = {}
        self.bound: dict[tuple[str, str], str] = {}
        self.ledger: list[tuple[str, str, int]] = []
        self.held = self.spent = self.overrun = 0
        self.busy = False
        self.stops: dict[Account, Stop] = {}

    async def first(self, subjects: Sequence[Account]) -> Stopped | None:
        found = next((each for each in subjects if each in self.stops), None)
        return Stopped(found, self.stops[found]) if found else None

    async def hold(  # noqa: C901, PLR0911 - a return for each verdict
        self, order: Order, seen: PoolVersion, _: PurchaseLimits, waiter: Waiter = NOBODY
    ) -> Verdict:
        async with self.steps.step("hold", order.held):
            if order.id in self.jobs:
                return Held()
            keep = waiter.keep
            if keep and (before := self.requests.before(keep, keep.was_job)):
                return before
            claim = self.flights.get(order.flight if order.fresh else order.fingerprint)
            under_way = claim if isinstance(claim, str) else ""
            if order.distinct:
                if found := self.coming(order, waiter, under_way):
                    return found
            elif under_way:
                self.requests.depend(waiter, order, under_way)
                return Joined(under_way)
            if isinstance(claim, PoolVersion) and seen < claim:
                return PoolChanged(claim.generation, claim.count)
            if stopped := await self.first(stoppable(order.accounts)):
                return stopped
            if waiter.joins:
                return Vacant()
            if self.steps.verdict:
                return self.steps.verdict
            if self.spent + self.held + order.held > self.steps.limit:
                day = Calendar(UTC).windows(self.steps.now_ms)[1]
                return Denied(ORGANISATION, day, self.steps.limit, self.spent, self.held)
            self.held += order.held
            if self.busy:
                self.waiting[order.id] = None
            self.flights[order.flight] = order.id
            self.leases_ms[order.id] = self.steps.now_ms + LEASE_MS
            self.jobs[order.id] = Job(
                order=order,
                accounts=order.accounts,
                state="reserved",
                owner="one",
                epoch=1,
                windows=("day:x",),
                began_ms=self.steps.now_ms,
            )
            self.requests.depend(waiter, order, order.id)
            if order.distinct:
                self.places.put(app_pool(order), order.id, waiter.request)
            return Held(job=self.jobs[order.id], has_slot=not self.busy)

    def coming(self, order: Order, waiter: Waiter, under_way: str) -> Verdict | None:
        """What a request that takes a place finds under way for its pool."""
        pool, found = app_pool(order), None
        for job_id in dict.fromkeys([under_way, *self.places.had(pool)]):
            job = self.jobs.get(job_id)
            if job is None or not self.places.is_free(pool, job_id, waiter.request):
                continue
            if job.ended:
                self.places.held[pool].pop(job_id, None)
            elif found is None and job.order.number >= order.number:
                found = job.order
        if found:
            self.requests.depend(waiter, order, found.id, found.flight)
            self.places.put(pool, found.id, waiter.request)
            return Joined(found.id, found.flight)
        return Crowded() if under_way and not order.own else None

    async def turn(self, job: Job) -> bool:
        async with self.steps.step("turn", look=True):
            if self.jobs[job.order.id].state != "reserved":
                raise Fenced
            return job.order.id not in self.waiting

    def give_turn(self, job_id: str, *, tell: bool = True) -> None:
        self.waiting.pop(job_id, None)
        if tell:
            self.steps.publish(job_id)

    async def mark(self, job: Job) -> Job:
        async with self.steps.step("mark"):
            known = self.ours(job)
            if known.state == "submitting":
                return known
            lapsed = self.leases_ms[job.order.id] <= self.steps.now_ms
            if known.state != "reserved" or lapsed or job.order.id in self.waiting:
                raise Fenced
            self.put(job, state="submitting", submitted_ms=self.steps.now_ms)
            return self.jobs[job.order.id]

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        async with self.steps.step("accept"):
            job_id, name = job.order.id, (job.order.upstream, request_id)
            known = self.jobs[job_id]
            if self.bound.get(name, job_id) != job_id or known.request_id not in {"", request_id}:
                return False
            self.bound[name] = job_id
            known = self.jobs[job_id] = replace(known, request_id=request_id)
            if known.state in {"reserved", "submitting"}:
                marked_ms = known.submitted_ms or self.steps.now_ms
                self.jobs[job_id] = replace(
                    known, state="accepted", submitted_ms=marked_ms, trouble="", troubled_ms=0
                )
                if lease_ms != 0 or known.trouble:
                    self.put(job, lease_ms)
            return True

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        async with self.steps.step("renew", look=True):
            known = self.jobs[job.order.id]
            if known.epoch != job.epoch or known.ended:
                return False
            self.put(job, lease_ms)
            return True

    async def mark_uncertain(
        self, job: Job, trouble: Trouble, *, lease_ms: int | None = None
    ) -> None:
        async with self.steps.step("uncertain", trouble):
            since_ms = self.ours(job).troubled_ms or self.steps.now_ms
            self.put(job, lease_ms, trouble=trouble, troubled_ms=since_ms)
            self.steps.publish(job.order.id)

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> Job:
        async with self.steps.step("settle", f"{settlement.state} {settlement.charge}"):
            known, closed = self.jobs[job.order.id], (job.order.id, settlement.state)
            if known.epoch == job.epoch and closed in {entry[:2] for entry in self.ledger}:
                return settled(job, settlement, output, remaining=known.remaining or 0)
            if known.epoch != job.epoch or known.state != job.state:
                raise Fenced
            charged = min(settlement.charge, job.order.held)
            self.held -= job.order.held
            self.spent += charged
            self.overrun += settlement.charge - charged
            self.ledger.append((*closed, settlement.charge))
            self.waiting.pop(job.order.id, None)
            remaining = max(0, self.steps.limit - self.spent - self.held)
            self.jobs[job.order.id] = settled(known, settlement, output, remaining=remaining)
            self.put(job)
            if settlement.state in ENDS:
                self.end(job, None)
            return settled(job, settlement, output, remaining=remaining)

    async def finish(
        self, job: Job, pictures: Sequence[Picture], published: PoolVersion | None
    ) -> None:
        async with self.steps.step("finish", len(pictures)):
            known = self.jobs[job.order.id]
            if known.state == "finished":
                return
            if known.state != "paid" or known.epoch != job.epoch:
                raise Fenced
            self.put(job, state="finished", pictures=tuple(pictures), output=None)
            self.put(job, kept=published is not None, trouble="", troubled_ms=0)
            self.end(job, None if job.order.fresh else published)

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        async with self.steps.step("adopt"):
            if job_id not in self.due(upstream):
                return None
            job = self.jobs[job_id]
            self.put(job, epoch=job.epoch + 1)
            return self.jobs[job_id]

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        async with self.steps.step("lapsed", look=True):
            return self.due(upstream)[:number]

    def due(self, upstream: str) -> list[str]:
        """The jobs whose leases ran out, the earliest first."""
        leases = sorted((until_ms, job_id) for job_id, until_ms in self.leases_ms.items())
        due = [job_id for until_ms, job_id in leases if until_ms <= self.steps.now_ms]
        return [job_id for job_id in due if self.jobs[job_id].order.upstream == upstream]

    async def read(self, job_id: str) -> Job | None:
        async with self.steps.step("read", look=True):
            return self.jobs.get(job_id)

    async def unbound(self, upstream: str) -> list[Job]:
        jobs = [job for job in self.jobs.values() if job.order.upstream == upstream]
        return [job for job in jobs if job.state == "submitting" and not job.request_id]

    async def owner(self, upstream: str, request_id: str) -> str:
        return self.bound.get((upstream, request_id), "")

    async def now_ms(self) -> int:
        async with self.steps.step("now", look=True):
            return self.steps.now_ms

    def clock_ms(self) -> int:
        return self.steps.now_ms

    def ours(self, job: Job) -> Job:
        known = self.jobs[job.order.id]
        if known.epoch != job.epoch or known.ended:
            raise Fenced
        return known

    def put(self, job: Job, lease_ms: int | None = None, **changes: Any) -> None:
        job_id = job.order.id
        self.jobs[job_id] = replace(self.jobs[job_id], **changes)
        if job_id in self.leases_ms:
            lease = LEASE_MS if lease_ms is None else lease_ms
            self.leases_ms[job_id] = self.steps.now_ms + lease

    def end(self, job: Job, published: PoolVersion | None) -> None:
        order = job.order
        self.put(job, order=replace(order, input={}))
        self.leases_ms.pop(order.id)
        if self.flights.get(order.flight) == order.id:
            del self.flights[order.flight]
            there = self.flights.get(order.fingerprint, PoolVersion())
            if published and published.count and not isinstance(there, str):
                self.flights[order.fingerprint] = max(there, published)
        self.steps.publish(order.id)


def app_pool(order: Order) -> AppPool:
    return AppPool(f"{order.team}/{order.app}", order.fingerprint)


@pytest.fixture(scope="module")
def no_pauses() -> Iterator[None]:
    """Real time is for the real thing: here every pause is over at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("falgate.jobs.ingest._PAUSES_S", (0.0, 0.0))
        patch.setattr("falgate.redis.retry._PAUSES_S", (0.0005, 0.001))
        patch.setattr("falgate.jobs.watcher.LOOK_AGAIN_S", 0.01)
        patch.setattr("falgate.jobs.watcher.IN_TROUBLE_S", 0.01)
        patch.setattr("falgate.jobs.watcher.LOOK_AGAIN_S_MAX", 0.01)
        patch.setattr("falgate.jobs.slots.LOOK_AGAIN_S", 0.01)
        patch.setattr("falgate.jobs.slots.LOOK_AGAIN_S_MAX", 0.01)
        yield


@pytest.fixture(scope="session")
def new_memory() -> Callable[[], tuple[Steps, Pools, Jobs]]:
    """An empty Redis: its steps, its pools, its jobs."""

    def new_memory() -> tuple[Steps, Pools, Jobs]:
        steps = Steps()
        return steps, Pools(steps), Jobs(steps)

    return new_memory

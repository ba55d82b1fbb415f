"""The world of the flow: every port in memory, writing down what was asked, failing when told."""

from collections.abc import Sequence
from datetime import UTC
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from falgate.core import budget
from falgate.core.apikey import KeyRecord
from falgate.core.claim import Denied, Held, Joined, Seen, Stale, Verdict
from falgate.core.errors import Unavailable
from falgate.core.job import ENDS, Fenced, Job, Order, Trouble
from falgate.core.model import Expected, ModelSpec
from falgate.core.outcome import Settlement
from falgate.core.picture import Picture, Pool
from falgate.flow.answer import Answers
from falgate.flow.flights import Flights
from falgate.flow.purchase import Purchases
from falgate.flow.reaper import Reaper

LEASE_MS = 30_000
UNKNOWN_AFTER_S = 900


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: list price 100, its text held at 7 and booked at 3."""

    prompt: str
    num_images: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    sync_mode: bool = False


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda _: 100,
    text_ceiling=lambda _, number: 7 * number,
    text_estimate=lambda _, number: 3 * number,
    expected=lambda _: Expected("image/png", 8, 8),
)


class Instance(NamedTuple):
    """One process of falgate."""

    answers: Answers
    purchases: Purchases
    flights: Flights
    reaper: Reaper


class Keys:
    """The keys' port."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.records: dict[str, KeyRecord] = {}

    async def read(self, key_id: str) -> KeyRecord | None:
        async with self.world.step("key", look=True):
            return self.records.get(key_id)


class Pools:
    """The pools' port."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.pools: dict[str, Pool] = {}
        self.appended: dict[tuple[str, str], Seen] = {}

    async def read(self, fingerprint: str) -> Pool:
        try:
            async with self.world.step("pool"):
                return self.pools.get(fingerprint, Pool())
        except Unavailable:
            return Pool()

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> Seen | None:
        async with self.world.step("append", len(pictures)):
            pool = self.pools.get(fingerprint, Pool())
            if seen := self.appended.get((fingerprint, job_id)):
                return seen
            if pool.generation != generation:
                return None
            new = {p.sha256: p for p in (*pool.pictures, *pictures)}
            pool = Pool(generation or self.world.now_ms, tuple(new.values()))
            self.pools[fingerprint] = pool
            seen = Seen(pool.generation, len(pool.pictures))
            self.appended[fingerprint, job_id] = seen
            return seen

    async def replace(self, fingerprint: str, read: Pool, pictures: Sequence[Picture]) -> None:
        async with self.world.step("replace", len(pictures)):
            if self.pools.get(fingerprint) == read:
                self.pools[fingerprint] = Pool(read.generation + 1, tuple(pictures))


class Jobs:
    """The jobs' port: what the scripts promise, without Redis."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.jobs: dict[str, Job] = {}
        self.leases_ms: dict[str, int] = {}
        self.flights: dict[str, str | Seen] = {}
        self.bound: dict[str, str] = {}
        self.ledger: list[tuple[str, str, int]] = []
        self.held = self.spent = self.overrun = 0

    async def hold(self, order: Order, seen: Seen) -> Verdict:
        async with self.world.step("hold", order.held):
            flight = self.flights.get(order.fingerprint)
            if order.id in self.jobs:
                return Held()
            if isinstance(flight, str):
                return Joined(flight)
            if flight and (seen.generation, seen.count) < (flight.generation, flight.count):
                return Stale(flight.generation, flight.count)
            if self.world.verdict:
                return self.world.verdict
            if self.spent + self.held + order.held > self.world.limit:
                day = budget.windows(self.world.now_ms, UTC)[0]
                return Denied(budget.ORGANISATION, day, self.world.limit, self.spent, self.held)
            self.held += order.held
            self.flights[order.fingerprint] = order.id
            self.leases_ms[order.id] = self.world.now_ms + LEASE_MS
            self.jobs[order.id] = Job(
                order=order,
                state="reserved",
                owner="one",
                epoch=1,
                windows=("day:x",),
                began_ms=self.world.now_ms,
            )
            return Held()

    async def mark(self, job: Job) -> None:
        async with self.world.step("mark"):
            known = self.ours(job)
            if known.state == "submitting":
                return
            if known.state != "reserved" or self.leases_ms[job.order.id] <= self.world.now_ms:
                raise Fenced
            self.put(job, state="submitting", submitted_ms=self.world.now_ms)

    async def accept(self, job: Job, request_id: str) -> bool:
        async with self.world.step("accept"):
            known = self.jobs[job.order.id]
            owner = self.bound.setdefault(request_id, job.order.id)
            if owner != job.order.id or known.request_id not in {"", request_id}:
                return False
            self.put(job, request_id=request_id)
            if known.state == "submitting":
                self.put(job, state="accepted", trouble="")
            return True

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        async with self.world.step(f"renew {lease_ms}", look=True):
            known = self.jobs[job.order.id]
            if known.epoch != job.epoch or known.ended:
                return False
            self.put(job, lease_ms)
            return True

    async def doubt(self, job: Job, trouble: Trouble, *, lease_ms: int | None = None) -> None:
        async with self.world.step("doubt", trouble):
            self.ours(job)
            self.put(job, lease_ms, trouble=trouble)
            self.world.publish(job.order.id)

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> None:
        async with self.world.step("settle", f"{settlement.state} {settlement.charge}"):
            known = self.jobs[job.order.id]
            if known.epoch == job.epoch and (job.order.id, settlement.state) in {
                entry[:2] for entry in self.ledger
            }:
                return
            if known.epoch != job.epoch or known.state != job.state:
                raise Fenced
            charged = min(settlement.charge, job.order.held)
            self.held -= job.order.held
            self.spent += charged
            self.overrun += settlement.charge - charged
            self.ledger.append((job.order.id, settlement.state, settlement.charge))
            self.put(
                job,
                state=settlement.state,
                charged=charged,
                overrun=settlement.charge - charged,
                remaining=self.world.limit - self.spent - self.held,
                output=output,
                answer=settlement.answer,
                trouble="",
            )
            if settlement.state in ENDS:
                self.end(job, None)

    async def finish(self, job: Job, pictures: Sequence[Picture], published: Seen | None) -> None:
        async with self.world.step("finish", len(pictures)):
            known = self.jobs[job.order.id]
            if known.state == "finished":
                return
            if known.state != "paid" or known.epoch != job.epoch:
                raise Fenced
            self.put(job, state="finished", pictures=tuple(pictures), output=None, trouble="")
            self.end(job, published)

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        async with self.world.step("adopt"):
            if self.leases_ms.get(job_id, self.world.now_ms + 1) > self.world.now_ms:
                return None
            job = self.jobs[job_id]
            assert job.order.upstream == upstream
            self.put(job, epoch=job.epoch + 1)
            return self.jobs[job_id]

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        async with self.world.step("lapsed", look=True):
            due = [
                job_id
                for job_id, until_ms in self.leases_ms.items()
                if until_ms <= self.world.now_ms
            ]
            return [job_id for job_id in due if self.jobs[job_id].order.upstream == upstream][
                :number
            ]

    async def read(self, job_id: str) -> Job | None:
        async with self.world.step("read", look=True):
            return self.jobs.get(job_id)

    async def now_ms(self) -> int:
        async with self.world.step("now", look=True):
            return self.world.now_ms

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
            self.leases_ms[job_id] = self.world.now_ms + lease

    def end(self, job: Job, published: Seen | None) -> None:
        self.leases_ms.pop(job.order.id)
        if self.flights.get(job.order.fingerprint) == job.order.id:
            del self.flights[job.order.fingerprint]
            if published:
                self.flights[job.order.fingerprint] = published
        self.world.publish(job.order.id)

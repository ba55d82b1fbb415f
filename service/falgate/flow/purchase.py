"""A purchase: the steps of a job from its hold to its pictures, each safe to repeat.

The order is the point. Money is held before anything leaves; the mark is durable before the
submit; fal's id is bound before anything else is done with it; the money is settled as soon as the
result is read, because it is already spent; then come the pictures, which can be fetched again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from falgate.core import outcome
from falgate.core.errors import StoreUnavailable, Unavailable
from falgate.core.events import Doubt, Doubted, Purchased
from falgate.core.job import Answer, Fenced, Job, NotDurable
from falgate.core.outcome import (
    Accepted,
    Delivered,
    DownloadFailed,
    Lost,
    Rejected,
    Settlement,
    Unsent,
)
from falgate.core.picture import Kept, NotAPicture, Picture
from falgate.flow.ports import Ports, Upstream

T = TypeVar("T")

_BANK_PAUSES_S = (0.2, 1.0)
_INSIST_S = (0.05, 2.0)
_CANCEL_S = 1.0
_HAND_OVER_S = 5.0
_CREDENTIALS = frozenset({401, 403})


class Purchases:
    """The jobs that this process works on, each in a task that no caller can cancel."""

    def __init__(self, ports: Ports, wake: Callable[[str], None], *, lease_s: float) -> None:
        """Renew leases of `lease_s` in time, and call `wake` with a job's id when it has ended."""
        self._ports = ports
        self._wake = wake
        self._lease_s = lease_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._jobs: dict[str, Job] = {}

    def start(self, job: Job) -> None:
        """Work on a job that is this instance's, from the state that it is in."""
        job_id = job.order.id
        if job_id in self._tasks:
            return
        self._jobs[job_id] = job
        task = asyncio.create_task(self._work(job), name=f"job {job_id}")
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._forget(job_id))

    def busy_with(self, job_id: str) -> bool:
        """Whether this process works on that job, late with its lease or not."""
        return job_id in self._tasks

    async def close(self, grace_s: float) -> None:
        """Finish what is short, then hand the other jobs over at once."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        left = {job_id: self._jobs[job_id] for job_id in self._tasks}
        ending = list(self._tasks.values())
        for task in ending:
            task.cancel()
        if ending:
            # A renewal that is still on its way would take the lease back.
            await asyncio.wait(ending, timeout=_CANCEL_S)
        try:
            async with asyncio.timeout(_HAND_OVER_S):
                for job in left.values():
                    await self._ports.jobs.renew(job, lease_ms=0)
        except (Unavailable, TimeoutError):
            return  # Their leases run out by themselves.

    def _forget(self, job_id: str) -> None:
        self._tasks.pop(job_id, None)
        self._jobs.pop(job_id, None)

    async def _work(self, job: Job) -> None:
        keeper = asyncio.create_task(self._keep(job))
        try:
            if job.state == "reserved":
                job = await self._submit(job)
            if job.state == "accepted":
                job = await self._collect(job)
            if job.state == "paid":
                await self._bank(job)
        except Fenced:
            pass  # Another instance has it, and whoever waits here waits for that one.
        finally:
            keeper.cancel()
            self._wake(job.order.id)

    async def _keep(self, job: Job) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if not self.busy_with(job.order.id):
                # The renewal before lost our cancellation, as `asyncio.wait_for` in redis-py does:
                # a lease that went on for ever would keep everybody from the job.
                return
            try:
                if not await self._ports.jobs.renew(job):
                    return
            except Unavailable:
                continue

    async def _submit(self, job: Job) -> Job:
        try:
            await self._ports.jobs.mark(job)
        except (NotDurable, Unavailable):
            # Certainly not sent: what was marked goes back, and what was not falls to the reaper.
            job = msgspec.structs.replace(job, state="submitting")
            why = Answer(503, {"detail": "The ledger cannot promise to remember this"}, {})
            return await self._settle(job, Settlement(state="released", charge=0, answer=why))
        job = msgspec.structs.replace(job, state="submitting")
        upstream = self._ports.upstream(job.order.upstream)
        submission = await upstream.submit(job.order.endpoint, job.order.input, job.order.id)
        match submission:
            case Accepted(request_id):
                return await self._accept(job, request_id)
            case Lost(doubt):
                self._doubt("lost_submit", job, doubt)
                await self._insist(lambda: self._ports.jobs.doubt(job, "lost"))
                return job
            case Unsent() | Rejected():
                if isinstance(submission, Rejected) and submission.answer.status in _CREDENTIALS:
                    self._doubt("bad_upstream_key", job, f"fal said {submission.answer.status}")
                return await self._settle(job, outcome.after_submit(submission))

    async def _accept(self, job: Job, request_id: str) -> Job:
        if not await self._insist(lambda: self._ports.jobs.accept(job, request_id)):
            self._doubt("second_request_id", job, request_id)
            raise Fenced
        job = msgspec.structs.replace(job, state="accepted", request_id=request_id)
        self._jobs[job.order.id] = job
        return job

    async def _collect(self, job: Job) -> Job:
        spec = self._ports.models[job.order.endpoint]
        upstream = self._ports.upstream(job.order.upstream)
        result = await upstream.collect(spec, job.request_id)
        if isinstance(result, Lost):
            self._doubt("lost_result", job, result.why)
            await self._insist(lambda: self._ports.jobs.doubt(job, "lost"))
            raise Fenced
        arguments = msgspec.convert(job.order.input, spec.input)
        settlement = outcome.after_result(spec, arguments, job.order.held, result)
        if isinstance(result, Delivered):
            if outcome.is_zero(result.units):
                self._doubt("zero_units", job, "fal reports 0 units for a delivered picture")
            return await self._settle(job, settlement, result)
        return await self._settle(job, settlement)

    async def _settle(
        self, job: Job, settlement: Settlement, delivered: Delivered | None = None
    ) -> Job:
        output = delivered.output if delivered else None
        await self._insist(lambda: self._ports.jobs.settle(job, settlement, output))
        settled = await self.report(job.order.id, settlement)
        if settled.epoch != job.epoch:
            raise Fenced
        self._jobs[job.order.id] = settled
        return settled

    async def _bank(self, job: Job) -> None:
        spec = self._ports.models[job.order.endpoint]
        upstream = self._ports.upstream(job.order.upstream)
        try:
            urls = tuple(file["url"] for file in spec.files(job.output))
            kept = await self._fetch(upstream, urls)
        except (DownloadFailed, NotAPicture, StoreUnavailable) as error:
            self._doubt("unbanked", job, f"{type(error).__name__}: {error}")
            await self._insist(lambda: self._ports.jobs.doubt(job, "unbanked"))
            return
        now_s = await self._insist(self._ports.jobs.now_ms) // 1000
        pictures = [Picture(made_s=now_s, **msgspec.structs.asdict(picture)) for picture in kept]
        expected = spec.expected(msgspec.convert(job.order.input, spec.input))
        published = None
        if all(map(expected.fits, kept)):
            published = await self._insist(
                lambda: self._ports.pools.append(
                    job.order.fingerprint, job.order.id, job.order.generation, pictures
                )
            )
        else:
            # Paid for and handed out, but another model's or size's picture stays out of the pool.
            self._doubt("not_as_asked", job, "fal delivered another size or format than asked")
        await self._insist(lambda: self._ports.jobs.finish(job, pictures, published))

    async def _fetch(self, upstream: Upstream, urls: tuple[str, ...]) -> list[Kept]:
        async def fetch(url: str) -> Kept:
            return await self._ports.pictures.keep(await upstream.download(url))

        for pause_s in _BANK_PAUSES_S:
            try:
                return await asyncio.gather(*map(fetch, urls))
            except (DownloadFailed, NotAPicture, StoreUnavailable):
                await asyncio.sleep(pause_s)
        return await asyncio.gather(*map(fetch, urls))

    async def _insist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Repeat a step until Redis takes it: what is known now must not be thrown away."""
        pause_s, longest_s = _INSIST_S
        while True:
            try:
                return await step()
            except Unavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, longest_s)

    async def report(self, job_id: str, settlement: Settlement) -> Job:
        """Read a job that was settled, and tell what it came to; raises `Fenced` when forgotten."""
        job = await self._insist(lambda: self._ports.jobs.read(job_id))
        if job is None:
            raise Fenced
        sent_ms = job.submitted_ms if job.request_id else 0
        now_ms = await self._insist(self._ports.jobs.now_ms)
        self._ports.facts.purchased(
            Purchased(
                job=job.order.id,
                fal_request_id=job.request_id,
                model=job.order.endpoint,
                upstream=job.order.upstream,
                team=job.order.team,
                outcome=job.state,
                pictures=settlement.delivered,
                charged=job.charged,
                overrun=job.overrun,
                upstream_s=(now_ms - sent_ms) / 1000 if sent_ms else None,
            )
        )
        return job

    def _doubt(self, what: Doubt, job: Job, detail: str) -> None:
        self._ports.facts.doubted(Doubted(what=what, job=job.order.id, detail=detail))

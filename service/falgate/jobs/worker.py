"""Runs jobs: the steps from the hold to the stored pictures, each safe to repeat."""

# Why the steps are in this order: money is held before anything is sent. Inputs are uploaded before
# the mark, since that buys nothing. The mark is durable before the submit, so that a crash cannot
# hide that something may have been bought. fal's id is bound before anything else is done with it.
# The money is settled as soon as the result is read, because it is already spent; meanwhile the
# pictures are fetched. They are stored last, because they can be fetched again.

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly, AnomalyKind, Purchased
from falgate.fal.progress import Progress
from falgate.fal.replies import Accepted, Delivered, FalAnswer, Lost, Rejected, Unsent
from falgate.jobs import availability
from falgate.jobs import settlement as outcome
from falgate.jobs.fetching import Fetcher
from falgate.jobs.ingest import ingest
from falgate.jobs.job import Fenced, Job, NotDurable, State, Trouble
from falgate.jobs.notifier import Notifier, end_of
from falgate.jobs.outgoing import body_of
from falgate.jobs.ports import Ports
from falgate.jobs.settlement import Settlement
from falgate.jobs.slots import SlotWaiter
from falgate.jobs.twins import exchanged
from falgate.jobs.verdicts import Held
from falgate.redis.retry import retry_until_available

_ASKING_S = 10.0
_CANCEL_S = 1.0
_HAND_OVER_S = 5.0


class JobWorker:
    """The jobs that this process runs, each in a task that no caller can cancel."""

    def __init__(
        self,
        ports: Ports,
        notifier: Notifier,
        *,
        lease_s: float,
        start_within_s: float,
        kept_s: int,
    ) -> None:
        """Run jobs.

        Args:
            ports: The ports of the request flow.
            notifier: Is told when a job has ended or this process is done with it.
            lease_s: Duration of a lease, in seconds; leases are renewed in time.
            start_within_s: How long a job may wait for a slot if its caller set no limit, in
                seconds.
            kept_s: How long a pool keeps a picture, in seconds.
        """
        self._kept_s = kept_s
        self.turns = SlotWaiter(ports.jobs, notifier)
        self._ports = ports
        self._fetcher = Fetcher(ports)
        self._start_within_s = start_within_s
        self._notifier = notifier
        self._lease_s = lease_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._jobs: dict[str, Job] = {}
        self._asking: set[asyncio.Task[Job | None]] = set()

    def start(self, job: Job, *, has_slot: bool = False) -> None:
        """Run a job that this instance has, from its current state.

        Args:
            job: As it was read, or written.
            has_slot: Whether it is known to have a slot at the upstream.
        """
        job_id = job.order.id
        assert job_id not in self._tasks
        self._jobs[job_id] = job
        task = asyncio.create_task(self._work(job, has_slot=has_slot), name=f"job {job_id}")
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._forget(job_id))

    async def begin(self, job_id: str, held: Held) -> None:
        """Run a job that was just held here; raises `Unavailable`.

        If the reply to the hold was lost, another instance may have adopted the job; then its epoch
        is higher, and it is left to that instance.
        """
        job = held.job or await self._ports.jobs.read(job_id)
        if job is None or job.state != "reserved" or job.epoch != 1 or self.busy_with(job_id):
            return
        self.start(job, has_slot=held.has_slot)

    def busy_with(self, job_id: str) -> bool:
        """Return whether this process runs a job, even if its lease ran out."""
        return job_id in self._tasks

    async def close(self, grace_s: float) -> None:
        """Wait up to `grace_s` seconds for jobs to end, then hand over the others at once."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        if self._asking:
            await asyncio.wait(self._asking, timeout=_ASKING_S)
        left = {job_id: self._jobs[job_id] for job_id in self._tasks}
        ending = list(self._tasks.values())
        for task in ending:
            task.cancel()
        if ending:
            # A renewal still under way would take the lease back after the hand-over.
            await asyncio.wait(ending, timeout=_CANCEL_S)
        try:
            async with asyncio.timeout(_HAND_OVER_S):
                for job in left.values():
                    await self._ports.jobs.renew(job, lease_ms=0)
        except (Unavailable, TimeoutError):
            return  # The leases run out by themselves.

    def _forget(self, job_id: str) -> None:
        self._tasks.pop(job_id, None)
        self._jobs.pop(job_id, None)

    async def _work(self, job: Job, *, has_slot: bool) -> None:
        keeper = asyncio.create_task(self._keep(job))
        steps: dict[State, Callable[[Job], Awaitable[Job | None]]] = {
            "reserved": partial(self._submit, has_slot=has_slot),
            "accepted": self._collect,
            "paid": self._bank,
        }
        try:
            after: Job | None = job
            while after is not None and (step := steps.get(after.state)):
                after = await step(after)
        except Fenced:
            pass  # Another instance has the job; callers here now wait for that one.
        except Exception as error:  # noqa: BLE001 - whatever it was, no caller may wait for ever
            self._report("broken", job, type(error).__name__)
            with suppress(Fenced):
                await self._give_word(self._jobs[job.order.id])
        finally:
            keeper.cancel()
            self._notifier.wake(end_of(job.order.id))

    async def _give_word(self, job: Job) -> None:
        """Record that this job is in trouble, wake its waiters, and leave it to the reaper."""
        trouble: Trouble = "unbanked" if job.state == "paid" else "lost"
        await retry_until_available(lambda: self._ports.jobs.mark_uncertain(job, trouble))

    async def _keep(self, job: Job) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if not self.busy_with(job.order.id):
                # The last renewal lost our cancellation, as `asyncio.wait_for` in redis-py may do.
                # Without this check the lease would be renewed for ever, and nobody could adopt the
                # job.
                return
            try:
                if not await self._ports.jobs.renew(job):
                    return
            except Unavailable:
                continue

    async def _submit(self, job: Job, *, has_slot: bool) -> Job | None:
        start_by_s = await self._start_by_s(job)
        if not (has_slot or await self.turns.wait(job, start_by_s)):
            return await self._settle(job, Settlement(state="released", charge=0))
        body = await body_of(self._ports, job.order)
        if isinstance(body, Settlement):
            return await self._settle(job, body)
        try:
            marked = await self._ports.jobs.mark(job)
        except (NotDurable, Unavailable):
            # Certainly not sent. If the mark was written, the hold is released; if not, settling is
            # fenced and the reaper releases it.
            job = replace(job, state="submitting")
            why = FalAnswer(
                503, {"detail": "Redis did not confirm that the purchase is recorded durably"}, {}
            )
            return await self._settle(job, Settlement(state="released", charge=0, answer=why))
        # A task of its own, which a stop does not cancel: a request id that is not read is money
        # lost.
        asking = asyncio.create_task(self._ask(marked, body, start_by_s))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def _start_by_s(self, job: Job) -> float:
        """Return the deadline for a job's start, by the event loop's clock."""
        within_s = job.order.start_within_s or self._start_within_s
        if job.epoch > 1:  # It may have waited at another instance before.
            within_s -= (await retry_until_available(self._ports.jobs.now_ms) - job.began_ms) / 1000
        return asyncio.get_running_loop().time() + within_s

    async def _ask(self, job: Job, body: dict[str, Any], start_by_s: float) -> Job | None:
        upstream = self._ports.upstream(job.order.upstream)
        order = job.order
        left_s = start_by_s - asyncio.get_running_loop().time()
        submission = await upstream.submit(
            order.endpoint,
            body,
            order.id,
            start_within_s=max(1.0, left_s) if order.start_within_s else 0,
            priority=order.priority,
            passed=order.passed,
        )
        match submission:
            case Accepted(request_id):
                return await self._accept(job, request_id)
            case Lost(why):
                self._report("lost_submit", job, why)
                await self._give_word(job)
                return None
            case Unsent():
                return await self._settle(job, outcome.after_submit(submission))
            case Rejected():
                return await self._settle(
                    job, await availability.refused(self._ports, order, submission)
                )

    async def _accept(self, job: Job, request_id: str) -> Job | None:
        if not await retry_until_available(lambda: self._ports.jobs.accept(job, request_id)):
            if not await retry_until_available(
                lambda: exchanged(self._ports.jobs, job, request_id)
            ):
                self._report("second_request_id", job, request_id)
            await self._give_word(job)
            return None
        job = replace(job, state="accepted", request_id=request_id)
        self._jobs[job.order.id] = job
        return job

    async def _collect(self, job: Job) -> Job | None:
        spec = self._ports.models[job.order.endpoint]
        upstream = self._ports.upstream(job.order.upstream)
        result = await upstream.collect(spec, job.request_id, partial(self._tell, job.order.id))
        if isinstance(result, Lost):
            self._report("lost_result", job, result.why)
            await self._give_word(job)
            return None
        arguments = msgspec.convert(job.order.input, spec.input)
        settlement = outcome.after_result(
            spec, arguments, job.order.held, result, start_within_s=job.order.start_within_s
        )
        await availability.ended(self._ports, job.order, result)
        if not isinstance(result, Delivered):
            return await self._settle(job, settlement)
        if outcome.is_zero(result.units):
            self._report("zero_units", job, "fal reports 0 units for a delivered picture")
        with self._fetcher.fetching(job.order, result.output) as fetches:
            job = await self._settle(job, settlement, result)
            if job.state == "paid":
                await ingest(self._ports, job, fetches, kept_s=self._kept_s)
        return None

    async def _tell(self, job_id: str, progress: Progress) -> None:
        """Publish a job's progress; without Redis this is skipped, which does no harm."""
        with suppress(Unavailable):
            await self._ports.requests.tell(job_id, progress)

    async def _settle(
        self, job: Job, settlement: Settlement, delivered: Delivered | None = None
    ) -> Job:
        output = delivered.output if delivered else None
        settled = await retry_until_available(
            lambda: self._ports.jobs.settle(job, settlement, output)
        )
        self.report(settled, settlement)
        self._jobs[job.order.id] = settled
        return settled

    async def _bank(self, job: Job) -> None:
        with self._fetcher.fetching(job.order, job.output) as fetches:
            await ingest(self._ports, job, fetches, kept_s=self._kept_s)

    def report(self, job: Job, settlement: Settlement) -> None:
        """Report the end of a job that was just settled."""
        sent_ms = job.submitted_ms if job.request_id else 0
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
                upstream_s=(self._ports.jobs.clock_ms() - sent_ms) / 1000 if sent_ms else None,
            )
        )

    def _report(self, what: AnomalyKind, job: Job, detail: str) -> None:
        self._ports.facts.anomaly(Anomaly(what=what, job=job.order.id, detail=detail))

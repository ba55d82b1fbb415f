"""Runs queued requests: each is leased by one instance, until it has ended."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import msgspec

from falgate.cache.request import PictureRequest
from falgate.core.errors import KeyUnknown, Refusal, TimedOut, TooMany, Unavailable
from falgate.core.events import Anomaly
from falgate.jobs import answer
from falgate.jobs.acquire import Cached, Claim, Claims, Leader
from falgate.jobs.admission import AdmittedRequest, ending, permit, terms_for
from falgate.jobs.answer import Answer
from falgate.jobs.job import Job
from falgate.jobs.job_result import share
from falgate.jobs.ports import Ports
from falgate.jobs.request import Outcome, QueuedRequest, RequestSpec, failure_of
from falgate.jobs.starting import has_started
from falgate.jobs.verdicts import NewRequest, Waiter
from falgate.jobs.watcher import Gone, JobWatcher
from falgate.jobs.worker import JobWorker
from falgate.redis.retry import every, retry_until_available
from falgate.requests import ends

_TRIES = 4
_HAND_OVER_S = 5.0
_AT_ONCE = 100
_PAUSE_PART = 1.0
"""The part of an error's `Retry-After` to wait before another attempt; less in tests."""


class RequestWorker:
    """The queued requests that this process runs, each in a task that no caller can cancel."""

    def __init__(
        self,
        ports: Ports,
        purchases: JobWorker,
        flights: JobWatcher,
        claims: Claims,
        *,
        lease_s: float,
        start_within_s: float,
    ) -> None:
        """Run requests.

        Args:
            ports: The ports of the request flow.
            purchases: Runs jobs.
            flights: Waits for jobs.
            claims: Finds or claims what a request needs.
            lease_s: Duration of a lease, in seconds.
            start_within_s: How long a purchase may wait to be started if its caller set no limit,
                in seconds.
        """
        self._ports = ports
        self._purchases = purchases
        self._flights = flights
        self._claims = claims
        self._lease_s = lease_s
        self._start_within_s = start_within_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._upstreams: dict[str, str] = {}

    def start(self, request: QueuedRequest) -> None:
        """Run a request that waits for a job; do nothing if it has ended.

        It may have ended elsewhere while this process slept for longer than its lease.
        """
        request_id = request.asked.id
        if request.ended or request_id in self._tasks:
            return
        self._upstreams[request_id] = request.asked.upstream
        task = asyncio.create_task(self._drive(request), name=f"request {request_id}")
        self._tasks[request_id] = task
        task.add_done_callback(lambda _: self._forget(request_id))

    async def run(self) -> None:
        """Renew the leases of this process's requests, and adopt others; until cancelled."""
        await every(self._lease_s / 3, self._look)

    async def _look(self) -> None:
        await self._renew(self._upstreams)
        for upstream in self._ports.upstreams.values():
            for request in await self._ports.requests.adopt(upstream.name, _AT_ONCE):
                self.start(request)

    async def close(self) -> None:
        """Hand over all requests at once."""
        left = dict(self._upstreams)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_HAND_OVER_S)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_HAND_OVER_S):
                await self._renew(left, lease_ms=0)

    async def _renew(self, upstreams: Mapping[str, str], lease_ms: int | None = None) -> None:
        by_upstream = defaultdict(list)
        for request_id, upstream in upstreams.items():
            by_upstream[upstream].append(request_id)
        for upstream, ids in by_upstream.items():
            await self._ports.requests.renew(upstream, ids, lease_ms=lease_ms)

    def _forget(self, request_id: str) -> None:
        self._tasks.pop(request_id, None)
        self._upstreams.pop(request_id, None)

    async def _drive(self, request: QueuedRequest) -> None:
        try:
            ending = await self._ending(request)
            if ending is not None:
                await self._end(*ending)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next owner tries again
            detail = type(error).__name__
            self._ports.facts.anomaly(Anomaly(what="broken", job=request.job, detail=detail))

    async def _ending(
        self, request: QueuedRequest
    ) -> tuple[QueuedRequest, Answer | Refusal] | None:
        """Return the request as last read, and its outcome; None if it has ended elsewhere."""
        wanted = self._wanted(request.asked)
        refusal: Refusal = TimedOut(
            "Other requests were still buying the missing pictures; try again"
        )
        for _ in range(_TRIES):
            try:
                job = await self._settled(request)
                found = await retry_until_available(
                    partial(share, self._ports, wanted, job, request.pool, leads=request.leads)
                )
            except Gone:
                found = None
            except TimedOut as late:
                found = late
            if isinstance(found, Answer):
                return request, found
            if isinstance(found, Unavailable):
                refusal = found  # fal cannot be reached or is busy at the moment.
                await asyncio.sleep(found.retry_after_s * _PAUSE_PART)
            elif isinstance(found, Refusal):
                return request, found
            try:
                again = await self._again(request, wanted)
            except Refusal as last:
                return request, last
            if isinstance(again, Answer):
                return request, again
            if again is None or again.ended:
                return None
            request = again
        return request, refusal

    async def _settled(self, request: QueuedRequest) -> Job:
        """Return the job of a request, once it is known what it brings.

        A start time-out of the job's leader is handled with the job itself.

        Raises:
            TimedOut: The request joined the job, which does not start within the request's
                time-out.
            Gone: The job was deleted.
        """
        if not request.leads and request.asked.options.start_within_s:
            start_by_s = await self._start_by_s(request)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(start_by_s):
                    return await self._flights.settled(request.job)
            if not await retry_until_available(lambda: has_started(self._ports, request.job)):
                raise TimedOut("The purchase was not started within the request's time limit")
        return await self._flights.settled(request.job)

    async def _again(
        self, request: QueuedRequest, wanted: PictureRequest
    ) -> QueuedRequest | Answer | None:
        """Claim once more for a request whose job brought nothing.

        Returns:
            The request with its next job, its answer, or None if the request is deleted.

        Raises:
            Refusal: Its pictures cannot be had.
        """
        asked = request.asked
        call = await self._call(request, wanted)
        keep = NewRequest(asked=asked, was_job=request.job)
        waiter = Waiter(request=asked.id, keep=keep)
        start_by_s = await self._start_by_s(request)
        match await self._claimed(call, waiter, start_by_s):
            case Cached(found):
                return answer.free(call, "coalesced", found.pictures)
            case Leader(job_id, held=held):
                await retry_until_available(lambda: self._purchases.begin(job_id, held))
        return await retry_until_available(lambda: self._ports.requests.read(asked.id))

    async def _claimed(self, call: AdmittedRequest, waiter: Waiter, start_by_s: float) -> Claim:
        """Claim, and repeat that while the obstacle is temporary and there is time."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await self._claims.claim(call, waiter, start_by_s)
            except (Unavailable, TooMany) as refusal:
                if loop.time() + refusal.retry_after_s >= start_by_s:
                    raise
                await asyncio.sleep(refusal.retry_after_s * _PAUSE_PART)

    def _wanted(self, asked: RequestSpec) -> PictureRequest:
        spec = self._ports.models[asked.endpoint]
        return PictureRequest(
            spec=spec,
            arguments=msgspec.convert(asked.arguments, spec.input),
            upstream=asked.upstream,
            treatment=asked.treatment,
            fingerprint=asked.fingerprint,
        )

    async def _call(self, request: QueuedRequest, wanted: PictureRequest) -> AdmittedRequest:
        """Return the request as admitted, with its key's present limits."""
        asked = request.asked
        key, now_s, directory = await retry_until_available(lambda: self._ports.keys.key(asked.key))
        if key is None:
            raise KeyUnknown
        caller = permit(key, directory, now_s)
        return AdmittedRequest(
            request_id=asked.id,
            key=key,
            terms=terms_for(caller.terms, directory, asked.endpoint),
            options=asked.options,
            called=asked.called,
            ended=ending(caller, wanted.spec, asked.upstream),
            **msgspec.structs.asdict(wanted),
        )

    async def _start_by_s(self, request: QueuedRequest) -> float:
        """Return the deadline for the start of its purchase, by the event loop's clock."""
        now_ms = await retry_until_available(self._ports.jobs.now_ms)
        within_s = request.asked.options.start_within_s or self._start_within_s
        left_s = within_s - (now_ms - request.began_ms) / 1000
        return asyncio.get_running_loop().time() + left_s

    async def _end(self, request: QueuedRequest, found: Answer | Refusal) -> None:
        asked, done = request.asked, isinstance(found, Answer)
        outcome: Outcome = found if isinstance(found, Answer) else failure_of(found)
        others = await retry_until_available(
            lambda: self._ports.requests.end(request, "done" if done else "failed", outcome)
        )
        await self._claims.together.ended(asked)
        if others is None:
            return
        now_ms = await retry_until_available(self._ports.jobs.now_ms)
        took_s = (now_ms - request.began_ms) / 1000
        if isinstance(found, Answer):
            noted = self._ports.models[asked.endpoint].recorded
            quality = str(asked.arguments.get("quality", "")) if "quality" in noted else ""
            answered = ends.answered(asked, found, request.job, took_s, quality)
            self._ports.facts.answered(answered)
        else:
            failed = ends.failed(asked, found, request.job, took_s, leads=request.leads)
            self._ports.facts.failed(failed)

"""Answers a caller that waits on a connection: from the pool, another's purchase, or its own."""

import asyncio
import time
from contextlib import suppress

from falgate.core.errors import Refusal, TimedOut, Unavailable
from falgate.core.events import Answered, Source
from falgate.jobs import answer
from falgate.jobs.acquire import Cached, Claims, Follower, Leader
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.answer import Answer
from falgate.jobs.job import Job
from falgate.jobs.job_result import share
from falgate.jobs.ports import Ports
from falgate.jobs.starting import has_started
from falgate.jobs.verdicts import Waiter
from falgate.jobs.watcher import Gone, JobWatcher
from falgate.jobs.worker import JobWorker

_TRIES = 4


class _Patience:
    """How long a caller is willing to wait for jobs, and has waited.

    Attributes:
        deadline_s: By the event loop's clock.
        start_by_s: Likewise: when its own purchase must have been started.
        waited_s: Time spent waiting so far.
    """

    def __init__(self, wait_s: float, start_within_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        self.deadline_s = now_s + wait_s
        self.start_by_s = now_s + (start_within_s or wait_s)
        self.waited_s = 0.0


class SyncService:
    """Answers requests while their callers wait."""

    def __init__(
        self,
        ports: Ports,
        purchases: JobWorker,
        flights: JobWatcher,
        claims: Claims,
        *,
        wait_s: float,
    ) -> None:
        """Let a caller wait for up to `wait_s` seconds."""
        self._ports = ports
        self._purchases = purchases
        self._flights = flights
        self._claims = claims
        self._wait_s = wait_s
        self._leaving: set[asyncio.Task[None]] = set()

    async def answer(self, call: AdmittedRequest) -> Answer:
        """Find, share or buy the pictures of a request.

        Raises:
            Refusal: Why there are none, see `core.errors`.
        """
        began_s = time.perf_counter()
        patience = _Patience(self._wait_s, call.options.start_within_s)
        async with self._claims.together.on_the_line(call):
            found, job_id = await self._find(call, patience)
        took_s = time.perf_counter() - began_s
        self._ports.facts.answered(answered(call, found, job_id, took_s, patience.waited_s))
        return found

    async def close(self) -> None:
        """Wait until Redis knows that nobody waits here any more."""
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _leave(self, flight: str, request_id: str) -> None:
        with suppress(Unavailable):
            await self._ports.requests.leave(flight, request_id)

    async def _find(self, call: AdmittedRequest, patience: _Patience) -> tuple[Answer, str]:
        job_id, flight, leads = "", "", False
        waiter = Waiter(request=call.request_id, patience_ms=int(self._wait_s * 1000))
        try:
            for _ in range(_TRIES):
                match await self._claims.claim(call, waiter, patience.start_by_s):
                    case Cached(found):
                        source: Source = "coalesced" if job_id else found.source
                        return answer.free(call, source, found.pictures), job_id
                    case Leader(job_id, pool, flight, held):
                        leads = True
                        await self._purchases.begin(job_id, held)
                    case Follower(job_id, pool, flight):
                        leads = False
                job = await self._wait(
                    job_id, patience, leads=leads, within=call.options.start_within_s > 0
                )
                shared = job and await share(self._ports, call, job, pool, leads=leads)
                if isinstance(shared, Refusal):
                    raise shared
                if shared:
                    return shared, job_id
        except Refusal as refusal:
            refusal.job, refusal.leads = job_id, leads
            raise
        finally:
            if job_id:
                # The answer does not wait for it.
                task = asyncio.create_task(self._leave(flight, call.request_id))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)
        raise TimedOut("Other requests are still buying the missing pictures; try again later")

    async def _wait(
        self, job_id: str, patience: _Patience, *, leads: bool, within: bool
    ) -> Job | None:
        """Return the job when it has ended or is in trouble; None if it is deleted.

        A follower that set a start time-out of its own stops waiting if the job has not started by
        then.
        """
        began_s = time.perf_counter()
        try:
            if within and not leads:
                with suppress(TimedOut):
                    return await self._flights.ended(job_id, patience.start_by_s)
                if not await has_started(self._ports, job_id):
                    raise TimedOut("The purchase was not started within the request's time limit")
            return await self._flights.ended(job_id, patience.deadline_s, begun_here=leads)
        except Gone:
            return None
        finally:
            patience.waited_s += time.perf_counter() - began_s


def answered(
    call: AdmittedRequest,
    found: Answer,
    job_id: str,
    took_s: float,
    waited_s: float,
    *,
    route: str = "run",
) -> Answered:
    """Return the event that a request got its pictures."""
    return Answered(
        request_id=call.request_id,
        model=call.spec.endpoint,
        upstream=call.upstream,
        team=call.key.team,
        app=call.key.app,
        key=call.key.id,
        job=job_id,
        source=found.source,
        pictures=found.count,
        billed=found.billed,
        saved=found.saved,
        took_s=took_s,
        waited_s=waited_s,
        reused=max(0, found.count - found.bought),
        quality=call.spec.noted(call.arguments).get("quality", ""),
        fingerprint=call.fingerprint,
        route=route,
    )

"""The answer to a call: from the pool, from somebody's flight, or from a purchase of its own."""

import asyncio
import time
from contextlib import suppress

from falgate.core import answer
from falgate.core.answer import Answer
from falgate.core.claim import Waiter
from falgate.core.errors import Refusal, TimedOut, Unavailable
from falgate.core.events import Answered, Source
from falgate.core.job import Job
from falgate.flow.admission import Call
from falgate.flow.claims import Claims, Enough, Joins, Leads
from falgate.flow.flights import Flights, Gone
from falgate.flow.ports import Ports
from falgate.flow.purchase import Purchases
from falgate.flow.shares import share
from falgate.flow.starting import has_started

_TRIES = 4


class _Patience:
    """How long a caller will wait for jobs, and has.

    Attributes:
        deadline_s: Of the event loop's clock.
        start_by_s: Likewise, when a purchase of its own has to be started by.
        waited_s: So far.
    """

    def __init__(self, wait_s: float, start_within_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        self.deadline_s = now_s + wait_s
        self.start_by_s = now_s + (start_within_s or wait_s)
        self.waited_s = 0.0


class Answers:
    """Answers calls while their callers are on the line."""

    def __init__(
        self,
        ports: Ports,
        purchases: Purchases,
        flights: Flights,
        claims: Claims,
        *,
        wait_s: float,
    ) -> None:
        """Let a caller wait for up to `wait_s`."""
        self._ports = ports
        self._purchases = purchases
        self._flights = flights
        self._claims = claims
        self._wait_s = wait_s

    async def answer(self, call: Call) -> Answer:
        """Find, share or buy the pictures of a call.

        Raises:
            Refusal: Whatever stands in the way, see `core.errors`.
        """
        began_s = time.perf_counter()
        patience = _Patience(self._wait_s, call.wishes.start_within_s)
        async with self._claims.together.on_the_line(call):
            found, job_id = await self._find(call, patience)
        took_s = time.perf_counter() - began_s
        self._ports.facts.answered(answered(call, found, job_id, took_s, patience.waited_s))
        return found

    async def _find(self, call: Call, patience: _Patience) -> tuple[Answer, str]:
        job_id, flight = "", ""
        waiter = Waiter(request=call.request_id, patience_ms=int(self._wait_s * 1000))
        try:
            for _ in range(_TRIES):
                leads = False
                match await self._claims.claim(call, waiter, patience.start_by_s):
                    case Enough(pictures):
                        source: Source = "coalesced" if job_id else "hit"
                        found = answer.free(call.spec, call.arguments, source, pictures)
                        return found, job_id
                    case Leads(job_id, pool, flight):
                        leads = True
                        await self._purchases.begin(job_id)
                    case Joins(job_id, pool, flight):
                        pass
                joined = not leads and call.wishes.start_within_s > 0
                job = await self._wait(job_id, patience, joined=joined)
                shared = job and await share(
                    self._ports,
                    spec=call.spec,
                    arguments=call.arguments,
                    treatment=call.treatment,
                    job=job,
                    pool=pool,
                    leads=leads,
                )
                if isinstance(shared, Refusal):
                    raise shared
                if shared:
                    return shared, job_id
        finally:
            if job_id:
                with suppress(Unavailable):
                    await self._ports.requests.leave(flight, call.request_id)
        raise TimedOut("Others are still buying what is missing here; ask again later")

    async def _wait(self, job_id: str, patience: _Patience, *, joined: bool) -> Job | None:
        """A job that ended or is in trouble; None when it is forgotten.

        Who `joined` it with a time of their own for its start does not wait for that any longer.
        """
        began_s = time.perf_counter()
        try:
            if joined:
                with suppress(TimedOut):
                    return await self._flights.ended(job_id, patience.start_by_s)
                if not await has_started(self._ports, job_id):
                    raise TimedOut("This was not started within the time that was given for it")
            return await self._flights.ended(job_id, patience.deadline_s)
        except Gone:
            return None
        finally:
            patience.waited_s += time.perf_counter() - began_s


def answered(call: Call, found: Answer, job_id: str, took_s: float, waited_s: float) -> Answered:
    """The fact that a call got its pictures."""
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
    )

"""The answer to a call: from the pool, from somebody's flight, or from a purchase of its own."""

import asyncio
import time
import uuid
from itertools import compress
from typing import Any

import msgspec

from falgate.core import price
from falgate.core.calendar import Calendar
from falgate.core.claim import (
    Held,
    Joined,
    Seen,
    Stale,
)
from falgate.core.errors import (
    PriceMissing,
    TimedOut,
)
from falgate.core.events import Answered, Doubted, Source
from falgate.core.job import Job, Order
from falgate.core.money import Micros
from falgate.core.picture import Picture, Pool
from falgate.core.price import PriceUnknown
from falgate.flow.admission import Call
from falgate.flow.flights import Flights, Gone
from falgate.flow.ports import Ports
from falgate.flow.purchase import Purchases
from falgate.flow.refusals import of_ending, of_verdict

_TRIES = 4


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures for a caller, and what they cost.

    Attributes:
        source: Where they came from.
        pictures: From our own store.
        foreign: fal's own file objects, where its pictures could not be banked yet.
        bought: How many were paid for by this answer.
        billed: What this caller's budgets were charged, micro-USD.
        saved: List price of the pictures that were not bought for it, micro-USD.
        remaining: Of the tightest budget, micro-USD; None where nothing was bought.
    """

    source: Source
    pictures: tuple[Picture, ...]
    foreign: tuple[dict[str, Any], ...] = ()
    bought: int = 0
    billed: Micros = 0
    saved: Micros = 0
    remaining: Micros | None = None


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

    def check_start(self) -> None:
        """Whether it is still of use to begin a purchase.

        Raises:
            TimedOut: It could not be started in time.
        """
        if asyncio.get_running_loop().time() >= self.start_by_s:
            raise TimedOut("This could not be started within the time that was given for it")


class Answers:
    """Answers calls."""

    def __init__(
        self,
        ports: Ports,
        purchases: Purchases,
        flights: Flights,
        *,
        calendar: Calendar,
        wait_s: float,
    ) -> None:
        """Let a caller wait for up to `wait_s`; `calendar` words when a budget starts anew."""
        self._ports = ports
        self._purchases = purchases
        self._flights = flights
        self._calendar = calendar
        self._wait_s = wait_s

    async def answer(self, call: Call) -> Answer:
        """Find, share or buy the pictures of a call.

        Raises:
            Refusal: Whatever stands in the way, see `core.errors`.
        """
        began_s = time.perf_counter()
        patience = _Patience(self._wait_s, call.wishes.start_within_s)
        answer, job_id = await self._find(call, patience)
        took_s = time.perf_counter() - began_s
        self._ports.facts.answered(
            Answered(
                request_id=call.request_id,
                model=call.spec.endpoint,
                upstream=call.upstream,
                team=call.key.team,
                app=call.key.app,
                key=call.key.id,
                job=job_id,
                source=answer.source,
                pictures=len(answer.pictures) + len(answer.foreign),
                billed=answer.billed,
                saved=answer.saved,
                took_s=took_s,
                waited_s=patience.waited_s,
                reused=max(0, len(answer.pictures) + len(answer.foreign) - answer.bought),
            )
        )
        return answer

    async def _find(self, call: Call, patience: _Patience) -> tuple[Answer, str]:
        seen, joined = Seen(), ""
        for _ in range(_TRIES):
            pool = await self._usable(call)
            if len(pool.pictures) >= call.wanted:
                source: Source = "coalesced" if joined else "hit"
                return self._free(call, source, pool.pictures), joined
            seen = max(seen, Seen(pool.generation, len(pool.pictures)))
            order = self._order(call, pool)
            patience.check_start()
            await self._ports.pictures.ready()
            match await self._ports.jobs.hold(order, seen, call.terms):
                case Held(overdrawn):
                    for shadow in overdrawn:
                        self._ports.facts.overdrawn(call.upstream, shadow)
                    bought = await self._buy(call, order, pool, patience)
                    if bought is not None:
                        return bought, order.id
                case Joined(job_id):
                    joined = job_id
                    shared = await self._join(call, job_id, patience)
                    if shared is not None:
                        return shared, job_id
                case Stale(generation, count):
                    seen = Seen(generation, count)
                case verdict:
                    raise of_verdict(verdict, order, self._calendar)
        raise TimedOut("Others are still buying what is missing here; ask again later")

    async def _usable(self, call: Call) -> Pool:
        """The call's pool without pictures that the store has lost: those are bought again."""
        pool = await self._ports.pools.read(call.fingerprint)
        asked = pool.pictures[: call.wanted]
        there = await asyncio.gather(*(self._ports.pictures.has(p) for p in asked))
        if all(there):
            return pool
        lost = {picture.name for picture, found in zip(asked, there, strict=True) if not found}
        for name in lost:
            self._ports.facts.doubted(Doubted(what="lost_picture", job="", detail=name))
        left = tuple(picture for picture in pool.pictures if picture.name not in lost)
        await self._ports.pools.replace(call.fingerprint, pool, left)
        return await self._usable(call)

    def _order(self, call: Call, pool: Pool) -> Order:
        number = call.wanted - len(pool.pictures)
        spec, arguments = call.spec, call.arguments
        try:
            held = price.ceiling(spec, arguments, number)
        except PriceUnknown as error:
            raise PriceMissing(str(error)) from error
        return Order(
            id=uuid.uuid4().hex,
            upstream=call.upstream,
            endpoint=spec.endpoint,
            fingerprint=call.fingerprint,
            generation=pool.generation,
            team=call.key.team,
            app=call.key.app,
            key=call.key.id,
            asked=call.wanted,
            reused=len(pool.pictures),
            number=number,
            held=held,
            listed=price.listed(spec, arguments, number),
            price_version=spec.price_version,
            input=spec.purchase(arguments, number),
            recorded={name: str(getattr(arguments, name)) for name in spec.recorded},
            saved=price.listed(spec, arguments, len(pool.pictures)),
            priority=call.wishes.priority,
            start_within_s=call.wishes.start_within_s,
        )

    async def _buy(
        self, call: Call, order: Order, pool: Pool, patience: _Patience
    ) -> Answer | None:
        """What its own purchase brings; None when that was given up and may be tried again."""
        job = await self._ports.jobs.read(order.id)
        # Of a later epoch it would be an adopter's, whatever the hold's answer was.
        if job is not None and job.state == "reserved" and job.epoch == 1:
            self._purchases.start(job)
        job = await self._wait(order.id, patience)
        if job is None:
            return None
        pictures, foreign = self._delivered(call, job)
        return Answer(
            source="partial" if pool.pictures else "miss",
            pictures=(*pool.pictures, *pictures)[: call.wanted],
            foreign=foreign[: order.number],
            bought=len(pictures) + len(foreign),
            billed=job.charged,
            saved=price.listed(call.spec, call.arguments, len(pool.pictures)),
            remaining=job.remaining,
        )

    async def _join(self, call: Call, job_id: str, patience: _Patience) -> Answer | None:
        """What another's flight brings; None when the caller has to look again by itself."""
        job = await self._wait(job_id, patience)
        if job is None:
            return None
        pictures, foreign = self._delivered(call, job)
        pool = await self._usable(call)
        known = {picture.sha256 for picture in pool.pictures}
        # What was delivered but not published, being not quite as asked, is shared all the same.
        others = [picture for picture in pictures if picture.sha256 not in known]
        there = await asyncio.gather(*(self._ports.pictures.has(p) for p in others))
        found = (*pool.pictures, *compress(others, there))
        if len(found) + len(foreign) < call.wanted:
            return None
        return self._free(call, "coalesced", found, foreign)

    async def _wait(self, job_id: str, patience: _Patience) -> Job | None:
        """A job that ended or is in trouble; None when it was given up with nothing bought."""
        began_s = time.perf_counter()
        try:
            job = await self._flights.ended(job_id, patience.deadline_s)
        except Gone:
            return None
        finally:
            patience.waited_s += time.perf_counter() - began_s
        given_up = job.state == "released" and job.answer is None
        return None if given_up else job

    def _delivered(
        self, call: Call, job: Job
    ) -> tuple[tuple[Picture, ...], tuple[dict[str, Any], ...]]:
        """A job's pictures or fal's own files for them.

        Raises:
            Refusal: It ended, or will end, without any.
        """
        if job.state == "finished" and job.pictures:
            return job.pictures, ()
        if job.state == "paid" and job.trouble == "unbanked":
            return (), call.spec.files(job.output)
        raise of_ending(job)

    def _free(
        self,
        call: Call,
        source: Source,
        pictures: tuple[Picture, ...],
        foreign: tuple[dict[str, Any], ...] = (),
    ) -> Answer:
        return Answer(
            source=source,
            pictures=pictures[: call.wanted],
            foreign=foreign[: max(0, call.wanted - len(pictures))],
            saved=price.listed(call.spec, call.arguments, call.wanted),
        )

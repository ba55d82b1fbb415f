"""Claims: what a call finds when it asks for its pictures, and what it may have to buy."""

import asyncio
import uuid

import msgspec
from msgspec.structs import replace

from falgate.core import price
from falgate.core.calendar import Calendar
from falgate.core.claim import Ended, Held, Joined, Mismatched, Repeated, Seen, Stale, Waiter
from falgate.core.errors import PriceMissing, TimedOut
from falgate.core.job import Order
from falgate.core.picture import Pool
from falgate.core.price import PriceUnknown
from falgate.core.queue_errors import KeyReused
from falgate.flow.admission import Call
from falgate.flow.pools import usable
from falgate.flow.ports import Ports
from falgate.flow.refusals import of_verdict

_TRIES = 4


class Enough(msgspec.Struct, frozen=True):
    """The pool has all that is wanted: nothing was claimed."""

    pool: Pool


class Leads(msgspec.Struct, frozen=True):
    """The flight is the call's: its money is held, its job may begin."""

    job_id: str
    pool: Pool


class Joins(msgspec.Struct, frozen=True):
    """Somebody else is buying."""

    job_id: str


class Repeats(msgspec.Struct, frozen=True):
    """An equal request is kept, or this very one has ended: its answer is the answer."""

    request_id: str


Claim = Enough | Leads | Joins | Repeats


class Claims:
    """Asks for pictures: in the pool, then for the flight."""

    def __init__(self, ports: Ports, calendar: Calendar, *, start_within_s: float) -> None:
        """`calendar` words when a budget starts anew; nobody may wait longer than that to start."""
        self._start_within_s = start_within_s
        self._ports = ports
        self._calendar = calendar

    async def claim(  # noqa: C901 - a case for each verdict
        self, call: Call, waiter: Waiter, start_by_s: float
    ) -> Claim:
        """Find out how a call gets its pictures; claim and hold where it has to buy them.

        Args:
            call: What is wanted.
            waiter: Who asks; a request to be kept is kept if there is something to wait for.
            start_by_s: Of the event loop's clock: buying later would be of no use.

        Raises:
            Refusal: Whatever stands in the way; then nothing was claimed, held or kept.
        """
        seen = Seen()
        for _ in range(_TRIES):
            pool = await self._pool(call)
            if len(pool.pictures) >= call.wanted:
                return Enough(pool)
            seen = max(seen, Seen(pool.generation, len(pool.pictures)))
            order = _order(call, pool, self._start_within_s)
            if asyncio.get_running_loop().time() >= start_by_s:
                raise TimedOut("This could not be started within the time that was given for it")
            await self._ports.pictures.ready()
            match await self._ports.jobs.hold(order, seen, call.terms, _with_pool(waiter, pool)):
                case Held(overdrawn):
                    for shadow in overdrawn:
                        self._ports.facts.overdrawn(call.upstream, shadow)
                    return Leads(order.id, pool)
                case Joined(job_id):
                    return Joins(job_id)
                case Repeated(request_id):
                    return Repeats(request_id)
                case Ended():
                    return Repeats(call.request_id)
                case Mismatched():
                    raise KeyReused
                case Stale(generation, count):
                    seen = Seen(generation, count)
                case verdict:
                    raise of_verdict(verdict, order, self._calendar)
        raise TimedOut("Others are still buying what is missing here; ask again later")

    async def _pool(self, call: Call) -> Pool:
        """The pictures that a call may have: none of those that are there, if it asks for new."""
        if call.wishes.fresh:
            pool = await self._ports.pools.read(call.fingerprint)
            return Pool(pool.generation)
        return await usable(self._ports, call.fingerprint, call.wanted)


def _with_pool(waiter: Waiter, pool: Pool) -> Waiter:
    if waiter.keep is None:
        return waiter
    return replace(waiter, keep=replace(waiter.keep, pool=pool.pictures))


def _order(call: Call, pool: Pool, start_within_s: float) -> Order:
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
        start_within_s=min(call.wishes.start_within_s, start_within_s),
        fresh=call.wishes.fresh,
        passed=call.wishes.passed,
    )

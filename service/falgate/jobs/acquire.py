"""Claims: what a request gets from its pool, and the hold that pays for what is missing."""

# A *flight* is a purchase under way for a pool. One job has it; equal requests join that job and
# wait for its pictures. One script claims the flight, holds the money and queues the job, or does
# none of it; its answer is a `Verdict`.
#
#
# A request that needs more pictures than the job will deliver waits for it, and then buys the rest.
# Enlarging the job instead would need a second hold for a job that another app pays for.
#
# The pool is read before the script runs, so another job may publish in between. The script
# compares the version that was read with the last one published, and answers `PoolChanged` if the
# reader is behind. The pool is then read again; a request never buys what a flight has just
# delivered.

import asyncio
import uuid
from functools import partial

import msgspec
from msgspec.structs import replace

from falgate.cache.decision import Decision
from falgate.cache.fingerprint import prompt_digest
from falgate.cache.lookup import look_up
from falgate.cache.pool import PoolVersion
from falgate.core.calendar import Calendar
from falgate.core.errors import ModelRetired, NotCached, PriceMissing, Refusal, TimedOut
from falgate.core.picture import Picture
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.answer import sizes
from falgate.jobs.derive import derive
from falgate.jobs.job import Order
from falgate.jobs.places import PlaceKeeper
from falgate.jobs.ports import Ports
from falgate.jobs.queue_errors import KeyReused
from falgate.jobs.refusals import of_verdict
from falgate.jobs.verdicts import (
    Crowded,
    Ended,
    Held,
    Joined,
    Mismatched,
    PoolChanged,
    Repeated,
    Vacant,
    Verdict,
    Waiter,
)
from falgate.models import price
from falgate.models.price import PriceUnknown

_TRIES = 4


class Cached(msgspec.Struct, frozen=True):
    """The pool has all pictures that are wanted; nothing was claimed.

    Attributes:
        found: What the request gets from the pool.
    """

    found: Decision


class Leader(msgspec.Struct, frozen=True):
    """The request has the flight: its money is held, and its job may begin.

    Attributes:
        job_id: Id of the job.
        pictures: What the pool had already.
        flight: Name of the flight that the job has.
        held: The hold.
    """

    job_id: str
    pictures: tuple[Picture, ...]
    flight: str
    held: Held


class Follower(msgspec.Struct, frozen=True):
    """Another request's job is buying; the fields are those of `Leader`, for that job."""

    job_id: str
    pictures: tuple[Picture, ...]
    flight: str


class Duplicate(msgspec.Struct, frozen=True):
    """An equal request is stored, or this one has ended; its answer is the answer."""

    request_id: str


Claim = Cached | Leader | Follower | Duplicate


class Claims:
    """Looks for pictures in the pool, then for a flight that buys them."""

    def __init__(
        self, ports: Ports, calendar: Calendar, together: PlaceKeeper, *, start_within_s: float
    ) -> None:
        """Look for pictures.

        Args:
            ports: The ports of the request flow.
            calendar: Tells when a budget resets.
            together: Which pictures are assigned to which request.
            start_within_s: The longest time that a job may wait to be started, in seconds.
        """
        self.together = together
        self._start_within_s = start_within_s
        self._ports = ports
        self._calendar = calendar

    async def claim(  # noqa: C901 - a case for each verdict
        self, call: AdmittedRequest, waiter: Waiter, start_by_s: float
    ) -> Claim:
        """Find the pictures of a request; claim a flight and hold money for what is missing.

        Args:
            call: The request.
            waiter: Who waits for the flight. A queued request is stored if there is something to
                wait for.
            start_by_s: Time of the event loop's clock after which a purchase would be of no use.

        Raises:
            Refusal: Why there are no pictures; then nothing was claimed, held or stored.
        """
        seen = PoolVersion()
        for _ in range(_TRIES):
            there = await self._there(call)
            if not there.missing:
                app = f"{call.key.team}/{call.key.app}"
                self._ports.uses.add(call.fingerprint, there.handed_out, app)
                return Cached(there)
            if call.treatment.only_cached:
                # At once, even if the pictures are being bought: the time that an answer takes must
                # not reveal other apps' purchases.
                raise NotCached
            pool = there.pool
            # Count what the pool has, not what this request may use of it: otherwise the pictures
            # that it leaves out would look like a newer version of the pool.
            seen = max(seen, PoolVersion(pool.generation, len(pool.pictures)))
            order = _order(call, there, self._start_within_s)
            if asyncio.get_running_loop().time() >= start_by_s:
                raise TimedOut("The purchase could not be started within its time limit")
            order, verdict = await self._hold(call, order, seen, _with(waiter, there))
            match verdict:
                case Held(overdrawn):
                    for shadow in overdrawn:
                        self._ports.facts.overdrawn(call.upstream, shadow)
                    return Leader(order.id, there.pictures, order.flight, verdict)
                case Joined(job_id, flight):
                    return Follower(job_id, there.pictures, flight or order.flight)
                case Repeated(request_id):
                    return Duplicate(request_id)
                case Ended():
                    return Duplicate(call.request_id)
                case Mismatched():
                    raise KeyReused
                case PoolChanged(generation, count):
                    seen = PoolVersion(generation, count)
                case _:
                    raise of_verdict(verdict, order, self._calendar)
        raise TimedOut("Other requests are still buying the missing pictures; try again later")

    async def _hold(
        self, call: AdmittedRequest, order: Order, seen: PoolVersion, waiter: Waiter
    ) -> tuple[Order, Verdict]:
        """Join a purchase under way, or buy, if anything may be bought.

        If the flight's pictures are for others, ask for a flight beside it.
        """
        # Followers need no model that can be bought and no room in the store, so if there is none,
        # the script is asked only to join.
        terms = call.terms
        try:
            await self._check_buyable(call)
        except Refusal:
            if order.fresh:
                raise
            verdict = await self._ports.jobs.hold(order, seen, terms, replace(waiter, joins=True))
            if isinstance(verdict, Crowded | Vacant):
                raise
            return order, verdict
        verdict = await self._ports.jobs.hold(order, seen, terms, waiter)
        if isinstance(verdict, Crowded):
            order = replace(order, own=True)
            verdict = await self._ports.jobs.hold(order, seen, terms, waiter)
        return order, verdict

    async def _check_buyable(self, call: AdmittedRequest) -> None:
        """Check that the model has not ended, and that there is room for its pictures.

        Raises:
            Refusal: Nothing may be bought.
        """
        if call.ended is not None:
            raise ModelRetired(call.ended.endpoint, call.ended.successor)
        await self._ports.pictures.ready()

    async def _there(self, call: AdmittedRequest) -> Decision:
        """Decide what the request gets from its pool; convert pictures for it if there are any."""
        pick = partial(self.together.take, call) if call.treatment.distinct else None
        look = partial(look_up, self._ports.pools, call, pick)
        there = await look()
        if there.missing and await derive(self._ports, call, there, pick):
            return await look()
        return there


def _with(waiter: Waiter, there: Decision) -> Waiter:
    if waiter.keep is None:
        return waiter
    return replace(waiter, keep=replace(waiter.keep, pool=there.pictures))


def _order(call: AdmittedRequest, there: Decision, start_within_s: float) -> Order:
    reused, number = len(there.pictures), there.missing
    spec, arguments, treatment = call.spec, call.arguments, call.treatment
    try:
        held = price.ceiling(spec, arguments, number)
    except PriceUnknown as error:
        raise PriceMissing(str(error)) from error
    return Order(
        id=uuid.uuid4().hex,
        upstream=call.upstream,
        endpoint=spec.endpoint,
        fingerprint=call.fingerprint,
        generation=there.pool.generation,
        team=call.key.team,
        app=call.key.app,
        key=call.key.id,
        asked=call.wanted,
        reused=reused,
        number=number,
        held=held,
        listed=price.listed(spec, arguments, number),
        price_version=spec.price_version,
        input=spec.purchase(arguments, number),
        recorded=spec.noted(arguments),
        saved=price.worth(spec, arguments, reused, sizes(there.pictures)),
        priority=call.options.priority,
        start_within_s=min(call.options.start_within_s, start_within_s),
        fresh=treatment.fresh or ("replace" if there.fresh else ""),
        why=there.why,
        scope=treatment.scope,
        variation=treatment.variation,
        prompt_sha256=prompt_digest(spec.prompt_of(arguments)),
        keep_prompt=treatment.keep_prompt,
        passed=call.options.passed,
        distinct=treatment.distinct,
    )

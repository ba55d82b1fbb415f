"""Recovery after a freeze: what fal has carried out and a ledger that lost a second does not know.

Every request since then must belong to a job of ours, become one's, or be booked by itself. Until
that is done nothing more is bought.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from falgate.core import price
from falgate.core.billing import Listed, same_input, totals
from falgate.core.job import Job
from falgate.core.model import ModelSpec
from falgate.core.money import Micros
from falgate.core.posting import Recovered
from falgate.flow.books import Platform, Recovery
from falgate.flow.ports import Jobs

LAG_S = 60
"""So long after the freeze fal's list is taken to have everything from before it."""

_BEFORE_MS = 3_600_000
_APART_MS = 5_000


class RecoveryRefused(Exception):
    """The ledger cannot be recovered like this; the message says what to do."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a recovery found, and did.

    Attributes:
        frozen_ms: Since when buying was frozen, milliseconds since 1970; 0 where it was not.
        found: Every request that was not known.
        state: "sound" where nothing was frozen, "shown" where nothing was done, "thawed".
    """

    frozen_ms: int
    found: tuple[Recovered, ...] = ()
    state: Literal["sound", "shown", "thawed"]


async def recover(
    upstream: str,
    ledger: Recovery,
    jobs: Jobs,
    platform: Platform | None,
    models: Mapping[str, ModelSpec],
    *,
    act: bool,
    accept_loss: bool = False,
    assumed: Micros | None = None,
    lag_s: int = LAG_S,
) -> Outcome:
    """Find what a frozen ledger does not know; with `act`, book it and let buying go on.

    Args:
        upstream: Whose books.
        ledger: The frozen one.
        jobs: Its jobs.
        platform: The seller's own books, or None.
        models: By endpoint.
        act: Else only look.
        accept_loss: Let buying go on though the seller's books are not there, or not ours.
        assumed: Micro-USD for a request whose price nobody can say.
        lag_s: See `LAG_S`.

    Raises:
        RecoveryRefused: See there.
        BooksClosed: The seller's books cannot be read to their end.
        Unavailable: Without Redis.
    """
    frozen_ms, run_id = await ledger.frozen()
    if not frozen_ms:
        return Outcome(frozen_ms=0, state="sound")
    found: tuple[Recovered, ...] = ()
    if platform is not None:
        wait_s = lag_s - (await ledger.now_ms() - frozen_ms) / 1000
        if wait_s > 0:
            raise RecoveryRefused(
                f"fal's list may not have everything yet: ask again in {wait_s:.0f} s"
            )
        found = await _unknown(
            upstream, ledger, platform, models, frozen_ms, accept_loss=accept_loss
        )
    elif not accept_loss:
        raise RecoveryRefused(
            "without FALGATE_FAL_ADMIN_KEY nobody can say what the ledger has lost: give it, or "
            "--accept-loss to buy again knowing that up to a second of purchases may be missing"
        )
    if not act:
        return Outcome(frozen_ms=frozen_ms, found=found, state="shown")
    priced = [_priced(each, assumed) for each in found]
    for each in priced:
        if await _adopted(jobs, each):
            continue
        if each.amount is None:
            raise RecoveryRefused("the job of a request has another one since: begin again")
        await ledger.book(upstream, each, each.amount)
    if not await ledger.thaw(run_id):
        raise RecoveryRefused("Redis was started anew meanwhile: begin again")
    return Outcome(frozen_ms=frozen_ms, found=tuple(priced), state="thawed")


async def _unknown(
    upstream: str,
    ledger: Recovery,
    platform: Platform,
    models: Mapping[str, ModelSpec],
    frozen_ms: int,
    *,
    accept_loss: bool,
) -> tuple[Recovered, ...]:
    since_ms, until_ms = max(0, frozen_ms - 2 * _BEFORE_MS), await ledger.now_ms() + _APART_MS
    listed = [
        each
        for endpoint in models
        for each in await platform.requests(endpoint, since_ms, until_ms)
    ]
    ids = {each.request_id for each in listed}
    closed = await ledger.closed_since(upstream, frozen_ms - _BEFORE_MS)
    if closed and not closed & ids and not accept_loss:
        raise RecoveryRefused(
            "fal's list has none of the requests that the ledger knows: give a "
            "FALGATE_FAL_ADMIN_KEY of the same account as FAL_KEY, or --accept-loss"
        )
    known = closed | (await ledger.bound(upstream, ids)).keys()
    strange = [
        each
        for each in listed
        if each.request_id not in known and not 0 < each.sent_ms < frozen_ms - _BEFORE_MS
    ]
    if not strange:
        return ()
    billed = totals(await platform.billed([each.request_id for each in strange]))
    waiting = await ledger.unbound(upstream)
    found = []
    for each in strange:
        job = _sender(each, waiting)
        if job:
            waiting.remove(job)
        total = billed.get(each.request_id)
        amount = _ceiling(models[each.endpoint], each) if total is None else total
        found.append(
            Recovered(
                request_id=each.request_id,
                model=each.endpoint,
                sent_ms=each.sent_ms,
                job=job.order.id if job else "",
                amount=amount,
                billed=total is not None,
            )
        )
    return tuple(found)


def _sender(listed: Listed, waiting: Sequence[Job]) -> Job | None:
    """The open job that has sent a request, by its input and its time."""
    for job in waiting:
        early = 0 < listed.sent_ms < job.submitted_ms - _APART_MS
        same = job.order.endpoint == listed.endpoint and same_input(listed, job.order.input)
        if same and not early:
            return job
    return None


def _ceiling(spec: ModelSpec, listed: Listed) -> Micros | None:
    """The most that a request may cost; None where its input tells nobody."""
    if listed.input is None:
        return None
    try:
        arguments = msgspec.convert(listed.input, spec.input)
        return price.ceiling(spec, arguments, spec.asked(arguments))
    except (msgspec.ValidationError, price.PriceUnknown):
        return None


def _priced(found: Recovered, assumed: Micros | None) -> Recovered:
    if found.amount is not None or found.job:
        return found
    if assumed is None:
        raise RecoveryRefused(
            f"nobody can say what {found.request_id} costs: look it up at fal, and give --assume "
            "with an amount for each of such requests"
        )
    return msgspec.structs.replace(found, amount=assumed)


async def _adopted(jobs: Jobs, found: Recovered) -> bool:
    """Whether a request was bound to the open job that has sent it."""
    job = await jobs.read(found.job) if found.job else None
    return job is not None and await jobs.accept(job, found.request_id, lease_ms=0)

"""Recovery of the ledger: corrects wrong counters, and books purchases that it has lost.

Counters are set to the sum of the entries and open jobs. If Redis may have lost data, every request
in fal's list since then must belong to a job, be assigned to an open one, or be booked on its own.
Purchases are stopped until that is done. Each step is idempotent.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from falgate.billing.closed_job import Recovered
from falgate.billing.store.recovery import Recovery
from falgate.core.money import Micros
from falgate.fal.billing import Listed, same_input, totals
from falgate.jobs.job import Job
from falgate.jobs.ports import Jobs, Platform
from falgate.models import price
from falgate.models.spec import ModelSpec
from falgate.money.difference import TORN, Difference
from falgate.money.frozen import Frozen

LAG_S = 60
"""This many seconds after the freeze, fal's list is assumed to show everything from before it."""

_BEFORE_MS = 3_600_000
_APART_MS = 5_000
_ROUNDS_MAX = 5


class RecoveryRefused(Exception):
    """The ledger cannot be recovered this way; the message says what to do."""


class Mended(msgspec.Struct, frozen=True):
    """A counter that differed, and the upstream of its ledger."""

    upstream: str
    difference: Difference


class RecoveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a recovery found and did.

    Attributes:
        frozen: Why purchases were stopped; None if they were not.
        found: Requests that the ledger did not know.
        mended: Counters that differed.
        twice: Jobs that were closed more than once, which only a person can judge.
        state: "sound" if there was nothing to do, "shown" if nothing was done, "mended" if counters
            were corrected, "thawed" if purchases are allowed again.
    """

    frozen: Frozen | None
    found: tuple[Recovered, ...] = ()
    mended: tuple[Mended, ...] = ()
    twice: tuple[Mended, ...] = ()
    state: Literal["sound", "shown", "mended", "thawed"]


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
) -> RecoveryReport:
    """Find differences and unknown requests; with `act`, correct them and allow purchases again.

    Args:
        upstream: The upstream whose requests may have been lost.
        ledger: The ledgers of all upstreams.
        jobs: The upstream's jobs.
        platform: fal's platform API, or None.
        models: By endpoint.
        act: If false, only report.
        accept_loss: Allow purchases again even if fal's list is missing, or is not of our account.
        assumed: Micro-USD to book for a request whose price cannot be determined.
        lag_s: See `LAG_S`.

    Raises:
        RecoveryRefused: The ledger cannot be recovered this way; the message says what to do.
        BooksClosed: fal's lists cannot be read completely.
        EntryStrange: An entry of the ledger cannot be read.
        Unavailable: Without Redis.
    """
    frozen, history = await ledger.frozen()
    differ = await _differences(ledger)
    mended = tuple(each for each in differ if each.difference.mendable)
    twice = tuple(each for each in differ if not each.difference.mendable)
    outcome = RecoveryReport(frozen=frozen, mended=mended, twice=twice, state="sound")
    if frozen is None and not mended:
        return outcome
    remaining = await _without_torn(ledger, mended) if act else mended
    if frozen is not None and frozen.lost:
        found = await _lost(
            upstream,
            ledger,
            platform,
            models,
            frozen.since_ms,
            accept_loss=accept_loss,
            lag_s=lag_s,
        )
        outcome = replace(outcome, found=found)
    if not act:
        return replace(outcome, state="shown")
    await _mend(ledger, remaining)
    priced = tuple(_priced(each, assumed) for each in outcome.found)
    await _book(upstream, ledger, jobs, priced)
    if frozen is None:
        return replace(outcome, state="mended")
    if not await ledger.thaw(history):
        raise RecoveryRefused("Redis was restarted in the meantime: start again")
    return replace(outcome, found=priced, state="thawed")


async def _book(upstream: str, ledger: Recovery, jobs: Jobs, found: Sequence[Recovered]) -> None:
    for each in found:
        if await _adopted(jobs, each):
            continue
        if each.amount is None:
            raise RecoveryRefused("a job was assigned another request meanwhile: start again")
        await ledger.book(upstream, each, each.amount)


async def _differences(ledger: Recovery) -> list[Mended]:
    return [
        Mended(upstream, each)
        for upstream in await ledger.upstreams()
        for each in await ledger.differences(upstream)
    ]


async def _without_torn(ledger: Recovery, found: Sequence[Mended]) -> Sequence[Mended]:
    """Undo or complete torn operations; return the differences that remain to be corrected.

    This comes first: it may remove the entry of a request, which fal's list then shows as unknown
    to the ledger.
    """
    torn = {each.upstream for each in found if each.difference.counter == TORN}
    for upstream in torn:
        await ledger.undo_torn(upstream)
    return await _mendable(ledger) if torn else found


async def _mendable(ledger: Recovery) -> list[Mended]:
    return [each for each in await _differences(ledger) if each.difference.mendable]


async def _mend(ledger: Recovery, found: Sequence[Mended]) -> None:
    """Correct counters, including those that change in the meantime."""
    for _ in range(_ROUNDS_MAX):
        by_upstream = defaultdict(list)
        for each in found:
            by_upstream[each.upstream].append(each.difference)
        for upstream, differences in by_upstream.items():
            await ledger.mend(upstream, differences)
        found = await _without_torn(ledger, await _mendable(ledger))
        if not found:
            return
    raise RecoveryRefused("counters kept changing in the meantime: start again")


async def _lost(
    upstream: str,
    ledger: Recovery,
    platform: Platform | None,
    models: Mapping[str, ModelSpec],
    frozen_ms: int,
    *,
    accept_loss: bool,
    lag_s: int,
) -> tuple[Recovered, ...]:
    """Return the requests from before the freeze that fal lists and the ledger does not know."""
    if platform is not None:
        wait_s = lag_s - (await ledger.now_ms() - frozen_ms) / 1000
        if wait_s > 0:
            raise RecoveryRefused(
                f"fal's list may not have everything yet: try again in {wait_s:.0f} s"
            )
        return await _unknown(
            upstream, ledger, platform, models, frozen_ms, accept_loss=accept_loss
        )
    if not accept_loss:
        raise RecoveryRefused(
            "without FALGATE_FAL_ADMIN_KEY it is unknown what the ledger has lost: set it, or use "
            "--accept-loss to buy again although up to a second of purchases may be missing"
        )
    return ()


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
            "fal's list has none of the requests that the ledger knows: set a "
            "FALGATE_FAL_ADMIN_KEY of the same account as FAL_KEY, or use --accept-loss"
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
    """Return the open job that sent a request, by its input and its time."""
    for job in waiting:
        early = 0 < listed.sent_ms < job.submitted_ms - _APART_MS
        same = job.order.endpoint == listed.endpoint and same_input(listed, job.order.input)
        if same and not early:
            return job
    return None


def _ceiling(spec: ModelSpec, listed: Listed) -> Micros | None:
    """Return the most that a request may cost; None if its input does not tell."""
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
            f"the cost of {found.request_id} is unknown: look it up at fal, and use --assume "
            "with an amount for each such request"
        )
    return replace(found, amount=assumed)


async def _adopted(jobs: Jobs, found: Recovered) -> bool:
    """Return whether a request was assigned to the open job that sent it."""
    job = await jobs.read(found.job) if found.job else None
    return job is not None and await jobs.accept(job, found.request_id, lease_ms=0)

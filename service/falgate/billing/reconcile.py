"""Reconciliation: compares closed jobs with fal's billing, and books each difference.

It errs on the side of more spending. What fal bills is booked. That something was not billed is
believed only after a day, because billing events lag, and only if the billing is certainly that of
our account: in another account's, none of our jobs would appear, and all would be refunded.
"""

# A job whose submit got no answer stays booked in full unless it is certain that fal never got it.
# That is certain after a day if every request that fal had at the time belongs to another job. If
# fal did carry it out and neither its webhook nor its list told whose it is, one request belongs to
# no job. Then nothing is refunded, the job keeps its full hold, and the request is also reported as
# drift, because it cannot be proved that the two are the same.

from collections.abc import Collection, Mapping, Sequence

import msgspec

from falgate.billing.closed_job import ClosedJob, Corrected, ReconcileReport, Why
from falgate.billing.store.corrections import Corrections
from falgate.core.events import Anomaly, Facts
from falgate.core.money import Micros
from falgate.fal.billing import BooksClosed, totals
from falgate.jobs.ports import Jobs, Platform
from falgate.money.charge import charge
from falgate.redis.retry import every

LAG_S = 3_600
"""Jobs closed within this many seconds are left to the next round, because events lag."""
BACK_S = 72 * 3_600
"""How far the first round looks back, and one after a long outage. Jobs are kept for longer."""

_SETTLED_MS = 24 * 3_600_000
_OVERLAP_MS = 27 * 3_600_000
"""The next round looks back to where a day-old round found jobs too young, and a little more."""
_APART_MS = 5_000
_AFTER_MS = 3_600_000
_SLICE_MS = 6 * 3_600_000
_EVERY_S = 3_600
_LOOK_S = 60.0


class Report(msgspec.Struct, frozen=True):
    """The result of a round.

    Attributes:
        summary: Totals.
        corrected: Every correction that was booked.
    """

    summary: ReconcileReport
    corrected: tuple[Corrected, ...]


class Reconciler:
    """Compares one upstream's closed jobs with fal's billing."""

    def __init__(
        self,
        upstream: str,
        platform: Platform,
        corrections: Corrections,
        jobs: Jobs,
        *,
        endpoints: Sequence[str],
        facts: Facts | None = None,
    ) -> None:
        """Compare the billing of these endpoints; `facts` is told if it is not of our account."""
        self._upstream = upstream
        self._platform = platform
        self._corrections = corrections
        self._jobs = jobs
        self._endpoints = endpoints
        self._facts = facts

    async def run(self) -> None:
        """Reconcile every hour, on one instance at a time, until cancelled."""
        # The round after a failed one, within the hour, looks as far back.
        await every(_LOOK_S, self._look_if_due, BooksClosed)

    async def _look_if_due(self) -> None:
        if await self._corrections.take_round(self._upstream, _EVERY_S * 1000):
            await self.look()

    async def look(self, *, lag_s: int = LAG_S, back_s: int | None = None) -> Report:
        """Compare once; a repeat changes nothing.

        Args:
            lag_s: Leave jobs alone that were closed within this many seconds.
            back_s: How far to look back, in seconds; None means to where the last round left off.

        Raises:
            BooksClosed: fal's lists cannot be read completely. What was booked so far is correct.
            Unavailable: Without Redis.
        """
        now_ms = await self._jobs.now_ms()
        until_ms = now_ms - lag_s * 1000
        since_ms = now_ms - (back_s or BACK_S) * 1000
        done_ms = await self._corrections.compared_until_ms(self._upstream)
        if back_s is None:
            since_ms = max(since_ms, done_ms - _OVERLAP_MS)
        drift, unmatched, ours = await self._unmatched(since_ms, until_ms)
        look = _Look(self._upstream, self._platform, self._corrections, self._jobs, now_ms)
        look.ours = ours
        async for page in self._corrections.closes(self._upstream, since_ms, until_ms):
            await look.compare(page)
        # Only now is it known whether this billing is of our account.
        await look.give_back()
        summary = ReconcileReport(
            at_ms=now_ms,
            since_ms=since_ms,
            until_ms=until_ms,
            looked=look.looked,
            corrected=len(look.corrected),
            difference=sum(each.difference for each in look.corrected),
            pending=look.pending,
            drift=drift,
            unmatched=unmatched,
            strange=look.strange,
        )
        # The next round begins where this one ended, unless this one skipped something earlier.
        whole = not look.strange and (back_s is None or since_ms <= done_ms)
        await self._corrections.keep(self._upstream, summary, whole=whole)
        if look.strange and self._facts:
            detail = "fal's billing has none of our requests: is the admin key of the same account?"
            self._facts.anomaly(Anomaly(what="foreign_account", job="", detail=detail))
        return Report(summary, tuple(look.corrected))

    async def _unmatched(self, since_ms: int, until_ms: int) -> tuple[Micros, int, bool]:
        """Return what fal billed for unknown requests, how many, and whether any is ours."""
        drift, unmatched, ours = 0, 0, False
        for endpoint in self._endpoints:
            for start_ms in range(since_ms, until_ms, _SLICE_MS):
                end_ms = min(start_ms + _SLICE_MS, until_ms)
                events = await self._platform.billed_between(endpoint, start_ms, end_ms)
                billed = totals(events)
                bound = await self._corrections.bound(self._upstream, billed)
                ours = ours or bool(bound)
                unmatched += len(billed) - len(bound)
                drift += sum(total or 0 for each, total in billed.items() if each not in bound)
        return drift, unmatched, ours


class _Look:
    """The state of one round."""

    def __init__(
        self,
        upstream: str,
        platform: Platform,
        corrections: Corrections,
        jobs: Jobs,
        now_ms: int,
    ) -> None:
        self._upstream = upstream
        self._platform = platform
        self._corrections = corrections
        self._jobs = jobs
        self._now_ms = now_ms
        self._unbilled: list[tuple[ClosedJob, Why]] = []
        self.ours = False
        self.looked = 0
        self.pending = 0
        self.corrected: list[Corrected] = []

    @property
    def strange(self) -> bool:
        """Whether jobs of ours were not billed, and the billing has no request of ours at all."""
        return bool(self._unbilled) and not self.ours

    async def compare(self, page: Sequence[ClosedJob]) -> None:
        """Book what fal billed differently; collect the jobs that fal did not bill."""
        self.looked += len(page)
        named = [await self._named(closed) for closed in page]
        asked = [closed.request_id for closed in named if closed.request_id]
        billed = totals(await self._platform.billed(asked)) if asked else {}
        self.ours = self.ours or bool(billed)
        for closed in named:
            await self._compare(closed, billed)

    async def give_back(self) -> None:
        """Refund the jobs that fal did not bill, if the billing is of our account."""
        if self.strange:
            self.pending += len(self._unbilled)
            return
        for closed, why in self._unbilled:
            await self._post(closed, 0, why)

    async def _named(self, closed: ClosedJob) -> ClosedJob:
        """Add the request id that a late webhook from fal may have brought after closing."""
        if closed.request_id:
            return closed
        job = await self._jobs.read(closed.job)
        return msgspec.structs.replace(closed, request_id=job.request_id) if job else closed

    async def _compare(self, closed: ClosedJob, billed: Mapping[str, Micros | None]) -> None:
        settled = self._now_ms - closed.at_ms >= _SETTLED_MS
        if closed.request_id in billed:
            total = billed[closed.request_id]
            if total is None:
                self.pending += 1
            else:
                await self._post(closed, total, "billed otherwise")
        elif not closed.charge.total:
            return  # Nothing was booked and nothing is billed.
        elif not settled:
            self.pending += 1
        elif closed.request_id:
            self._unbilled.append((closed, "not billed"))
        elif await self._certainly_unsent(closed):
            self._unbilled.append((closed, "not at fal"))
        else:
            self.pending += 1

    async def _certainly_unsent(self, closed: ClosedJob) -> bool:
        """Return whether every request that fal got around the submit belongs to another job."""
        job = await self._jobs.read(closed.job)
        if job is None or not job.submitted_ms:
            return False
        since_ms = job.submitted_ms - _APART_MS
        until_ms = closed.at_ms + _AFTER_MS
        listed = await self._platform.requests(closed.model, since_ms, until_ms)
        events = await self._platform.billed_between(closed.model, since_ms, until_ms)
        ids = {each.request_id for each in listed} | {event.request_id for event in events}
        return not await self._others(ids)

    async def _others(self, request_ids: Collection[str]) -> bool:
        """Return whether one of these requests belongs to no known job."""
        bound = await self._corrections.bound(self._upstream, request_ids)
        return len(bound) < len(request_ids)

    async def _post(self, closed: ClosedJob, total: Micros, why: Why) -> None:
        now = charge(total, closed.held)
        if now == closed.charge and closed.compared:
            return
        if await self._corrections.correct(self._upstream, closed, now, why):
            self.corrected.append(Corrected(closed=closed, now=now, why=why))

"""Reconciliation: closed jobs compared with fal's own billing, and each difference posted.

Conservative throughout. What fal bills is booked; that something was not billed is believed only
after a day, because events lag, and only of books that are ours beyond doubt: another account's
would show nothing of ours either, and every job would be given back.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import msgspec

from falgate.billing.closed_job import ClosedJob, Corrected, ReconcileReport, Why
from falgate.billing.ports import Corrections
from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly, Facts
from falgate.core.money import Micros
from falgate.fal.billing import BooksClosed, totals
from falgate.jobs.ports import Jobs, Platform
from falgate.money.charge import charge

LAG_S = 3_600
"""Younger jobs are left for the next look: events lag."""
BACK_S = 72 * 3_600
"""How far the first look goes back, and one after a long outage. Jobs are kept for longer."""

_SETTLED_MS = 24 * 3_600_000
_OVERLAP_MS = 27 * 3_600_000
"""The next look goes back to where jobs of a day ago were too young, and a little more."""
_APART_MS = 5_000
_AFTER_MS = 3_600_000
_SLICE_MS = 6 * 3_600_000
_EVERY_S = 3_600
_LOOK_S = 60.0


class Report(msgspec.Struct, frozen=True):
    """What a look has found, and what it posted.

    Attributes:
        summary: In figures.
        corrected: Each correction.
    """

    summary: ReconcileReport
    corrected: tuple[Corrected, ...]


class Reconciler:
    """Compares one upstream's closed jobs with its own billing."""

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
        """Read these books of the seller of these endpoints; `facts` hears of strange ones."""
        self._upstream = upstream
        self._platform = platform
        self._corrections = corrections
        self._jobs = jobs
        self._endpoints = endpoints
        self._facts = facts

    async def run(self) -> None:
        """Look every hour, on one instance at a time, until cancelled."""
        while True:
            # Whoever fails has had its turn: in an hour somebody looks again, and as far back.
            with suppress(BooksClosed, Unavailable):
                if await self._corrections.take_round(self._upstream, _EVERY_S * 1000):
                    await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self, *, lag_s: int = LAG_S, back_s: int | None = None) -> Report:
        """Compare once; a repeat changes nothing.

        Args:
            lag_s: Jobs that were closed within so many seconds are left alone.
            back_s: How far to go back, seconds; None: as far as the last look left something.

        Raises:
            BooksClosed: fal's books cannot be read to their end. What was posted so far is right.
            Unavailable: Without Redis.
        """
        now_ms = await self._jobs.now_ms()
        until_ms = now_ms - lag_s * 1000
        since_ms = now_ms - (back_s or BACK_S) * 1000
        done_ms = await self._corrections.compared_until_ms(self._upstream)
        if back_s is None:
            since_ms = max(since_ms, done_ms - _OVERLAP_MS)
        drift, strangers, ours = await self._strangers(since_ms, until_ms)
        look = _Look(self._upstream, self._platform, self._corrections, self._jobs, now_ms)
        look.ours = ours
        async for page in self._corrections.closes(self._upstream, since_ms, until_ms):
            await look.compare(page)
        # Only now it is known whether these books are ours.
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
            strangers=strangers,
            strange=look.strange,
        )
        # The next look begins where this one ended, unless this one left something out before.
        whole = not look.strange and (back_s is None or since_ms <= done_ms)
        await self._corrections.keep(self._upstream, summary, whole=whole)
        if look.strange and self._facts:
            detail = "fal's billing has none of our requests: is the admin key of the same account?"
            self._facts.doubted(Anomaly(what="strange_books", job="", detail=detail))
        return Report(summary, tuple(look.corrected))

    async def _strangers(self, since_ms: int, until_ms: int) -> tuple[Micros, int, bool]:
        """What fal billed for requests of no job, how many they are, and whether any is ours."""
        drift, strangers, ours = 0, 0, False
        for endpoint in self._endpoints:
            for start_ms in range(since_ms, until_ms, _SLICE_MS):
                end_ms = min(start_ms + _SLICE_MS, until_ms)
                events = await self._platform.billed_between(endpoint, start_ms, end_ms)
                billed = totals(events)
                bound = await self._corrections.bound(self._upstream, billed)
                ours = ours or bool(bound)
                strangers += len(billed) - len(bound)
                drift += sum(total or 0 for each, total in billed.items() if each not in bound)
        return drift, strangers, ours


class _Look:
    """One look: what it found so far."""

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
        """Whether jobs of ours are missing from books that have none of ours at all."""
        return bool(self._unbilled) and not self.ours

    async def compare(self, page: Sequence[ClosedJob]) -> None:
        """Post what fal billed otherwise; remember what it did not bill."""
        self.looked += len(page)
        named = [await self._named(posting) for posting in page]
        asked = [posting.request_id for posting in named if posting.request_id]
        billed = totals(await self._platform.billed(asked)) if asked else {}
        self.ours = self.ours or bool(billed)
        for posting in named:
            await self._compare(posting, billed)

    async def give_back(self) -> None:
        """Take what fal did not bill off the books, if they are fal's books about us."""
        if self.strange:
            self.pending += len(self._unbilled)
            return
        for posting, why in self._unbilled:
            await self._post(posting, 0, why)

    async def _named(self, posting: ClosedJob) -> ClosedJob:
        """With the request id that a late hook may have brought after the job was closed."""
        if posting.request_id:
            return posting
        job = await self._jobs.read(posting.job)
        return msgspec.structs.replace(posting, request_id=job.request_id) if job else posting

    async def _compare(self, posting: ClosedJob, billed: Mapping[str, Micros | None]) -> None:
        settled = self._now_ms - posting.closed_ms >= _SETTLED_MS
        if posting.request_id in billed:
            total = billed[posting.request_id]
            if total is None:
                self.pending += 1
            else:
                await self._post(posting, total, "billed otherwise")
        elif not posting.charge.total:
            return  # Nothing was booked and nothing is billed.
        elif not settled:
            self.pending += 1
        elif posting.request_id:
            self._unbilled.append((posting, "not billed"))
        elif await self._certainly_unsent(posting):
            self._unbilled.append((posting, "not at fal"))
        else:
            self.pending += 1

    async def _certainly_unsent(self, posting: ClosedJob) -> bool:
        """Whether every request that fal had in the time of a submit belongs to another job."""
        job = await self._jobs.read(posting.job)
        if job is None or not job.submitted_ms:
            return False
        since_ms = job.submitted_ms - _APART_MS
        until_ms = posting.closed_ms + _AFTER_MS
        listed = await self._platform.requests(posting.model, since_ms, until_ms)
        events = await self._platform.billed_between(posting.model, since_ms, until_ms)
        ids = {each.request_id for each in listed} | {event.request_id for event in events}
        return not await self._others(ids)

    async def _others(self, request_ids: Collection[str]) -> bool:
        """Whether one of these belongs to no job that is known."""
        bound = await self._corrections.bound(self._upstream, request_ids)
        return len(bound) < len(request_ids)

    async def _post(self, posting: ClosedJob, total: Micros, why: Why) -> None:
        now = charge(total, posting.held)
        if now == posting.charge and posting.compared:
            return
        if await self._corrections.correct(self._upstream, posting, now, why):
            self.corrected.append(
                Corrected(
                    job=posting.job,
                    request_id=posting.request_id,
                    team=posting.team,
                    app=posting.app,
                    was=posting.charge,
                    now=now,
                    why=why,
                )
            )

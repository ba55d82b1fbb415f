"""Adoption: jobs whose worker died go on where they stood, and nothing is released in doubt."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly
from falgate.jobs.job import Fenced, Job
from falgate.jobs.lost_submits import LostSubmitFinder
from falgate.jobs.ports import Platform, Ports
from falgate.jobs.settlement import UNKNOWN, Settlement
from falgate.jobs.worker import JobWorker

_AT_ONCE = 20


class Reaper:
    """Looks for jobs whose lease ran out, and carries them on or closes them."""

    def __init__(
        self,
        ports: Ports,
        purchases: JobWorker,
        sweep: Callable[[str, int], Awaitable[int]],
        *,
        every_s: float,
        unknown_after_s: int,
        platforms: Mapping[str, Platform] | None = None,
        hooked: Collection[str] = (),
    ) -> None:
        """Look every `every_s`; settle an unknown outcome in full after `unknown_after_s`.

        Args:
            ports: The world.
            purchases: Who carries a job on.
            sweep: Forgets what is old of an upstream, at this time in milliseconds.
            every_s: Seconds.
            unknown_after_s: Seconds.
            platforms: Sellers' own books, by upstream, as far as they may be read.
            hooked: Upstreams that say by a hook when a job has ended.
        """
        self._ports = ports
        self._purchases = purchases
        self._sweep = sweep
        self._every_s = every_s
        self._unknown_after_ms = unknown_after_s * 1000
        self._platforms = platforms or {}
        self._hooked = hooked

    async def run(self) -> None:
        """Look until cancelled; the first look is at once, for what an earlier process left."""
        while True:
            try:
                for upstream in self._ports.sellers.values():
                    await self.look(upstream.name)
            except Unavailable:
                pass  # Without Redis there is nothing to adopt; the next look may find it back.
            await asyncio.sleep(self._every_s)

    async def look(self, upstream: str) -> None:
        """Adopt what has lapsed of one upstream: never of another, which could not know it."""
        hook_ms = self._unknown_after_ms // 2 if upstream in self._hooked else 0
        search = LostSubmitFinder(self._ports.jobs, self._platforms.get(upstream), hook_ms)
        for job_id in await self._ports.jobs.lapsed(upstream, _AT_ONCE):
            if self._purchases.busy_with(job_id):
                continue  # As after an outage of Redis: whoever keeps the job will renew it.
            job = await self._ports.jobs.adopt(job_id, upstream)
            if job is not None:
                self._ports.facts.doubted(Anomaly(what="adopted", job=job_id, detail=job.state))
                try:
                    await self._resolve(job, search)
                except Fenced:
                    continue
        await self._sweep(upstream, await self._ports.jobs.now_ms())

    async def _resolve(self, job: Job, search: LostSubmitFinder) -> None:
        now_ms = await self._ports.jobs.now_ms()
        if job.state == "reserved":
            # Its old owner is fenced and can never submit. Kept requests depend on it all the same;
            # who waits on the line tries again.
            if await self._ports.requests.depend_on(job.order.flight):
                self._purchases.start(job)
            else:
                await self._close(job, Settlement(state="released", charge=0))
            return
        if job.state == "submitting":
            job = await search.found(job, now_ms) or job
        # A job may well be older than that when its trouble begins: a long wait at fal is no doubt.
        heard = job.state != "submitting" and job.troubled_ms
        age_ms = now_ms - (heard or job.submitted_ms)
        doubtful = job.state == "submitting" or (job.state == "accepted" and job.trouble)
        if doubtful and age_ms >= self._unknown_after_ms:
            await self._close(job, Settlement(state="unknown", charge=job.order.held, why=UNKNOWN))
        elif job.state == "submitting":
            lease_ms = search.again_ms(age_ms, self._unknown_after_ms - age_ms)
            await self._ports.jobs.doubt(job, "lost", lease_ms=lease_ms)
        else:
            self._purchases.start(job)

    async def _close(self, job: Job, settlement: Settlement) -> None:
        self._purchases.report(await self._ports.jobs.settle(job, settlement), settlement)

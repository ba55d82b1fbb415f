"""Adoption of jobs whose instance died: they continue where they stopped."""

# Money is released only if it is certain that nothing was bought. A job in state "reserved" was
# never submitted, and its old owner is fenced from now on. A job in state "submitting" may have
# been: fal's list is searched for it, and if it is not found within `unknown_after_s`, its hold is
# charged in full.

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from falgate.core.events import Anomaly
from falgate.jobs.job import Fenced, Job
from falgate.jobs.lost_submits import LostSubmitFinder
from falgate.jobs.outgoing import recalled
from falgate.jobs.ports import Platform, Ports
from falgate.jobs.settlement import UNKNOWN, Settlement
from falgate.jobs.worker import JobWorker
from falgate.redis.retry import every

_AT_ONCE = 20


class Reaper:
    """Finds jobs whose lease ran out, and continues or closes them."""

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
        """Look every `every_s`; charge jobs of unknown outcome in full after `unknown_after_s`.

        Args:
            ports: The ports of the request flow.
            purchases: Continues a job.
            sweep: Deletes old records of an upstream, given its name and Redis's time in
                milliseconds.
            every_s: Seconds.
            unknown_after_s: Seconds.
            platforms: fal's own records by upstream, if they may be read.
            hooked: Upstreams that report the end of a job by a webhook.
        """
        self._ports = ports
        self._purchases = purchases
        self._sweep = sweep
        self._every_s = every_s
        self._unknown_after_ms = unknown_after_s * 1000
        self._platforms = platforms or {}
        self._hooked = hooked

    async def run(self) -> None:
        """Look until cancelled, first at once, for jobs that an earlier process left."""
        await every(self._every_s, self._look_at_all)

    async def _look_at_all(self) -> None:
        for upstream in self._ports.upstreams.values():
            await self.look(upstream.name)

    async def look(self, upstream: str) -> None:
        """Adopt the jobs of one upstream whose leases ran out.

        Only jobs of our own upstreams: another one would not know their requests. And only those of
        models that this version serves: another version's instances can carry on the others.
        """
        hook_ms = self._unknown_after_ms // 2 if upstream in self._hooked else 0
        search = LostSubmitFinder(
            self._ports.jobs,
            self._platforms.get(upstream),
            partial(recalled, self._ports),
            hook_ms,
        )
        for job_id in await self._ports.jobs.lapsed(upstream, _AT_ONCE):
            if self._purchases.busy_with(job_id):
                continue  # The lease ran out in an outage of Redis; this process will renew it.
            found = await self._ports.jobs.read(job_id)
            if found is not None and found.order.endpoint not in self._ports.models:
                continue
            job = await self._ports.jobs.adopt(job_id, upstream)
            if job is not None:
                self._ports.facts.anomaly(Anomaly(what="adopted", job=job_id, detail=job.state))
                try:
                    await self._resolve(job, search)
                except Fenced:
                    continue
        await self._sweep(upstream, await self._ports.jobs.now_ms())

    async def _resolve(self, job: Job, search: LostSubmitFinder) -> None:
        now_ms = await self._ports.jobs.now_ms()
        if job.state == "reserved":
            # Its old owner is fenced and can never submit it. If queued requests depend on the job,
            # it is continued; callers that wait on a connection try again by themselves.
            if await self._ports.requests.depend_on(job.order.flight):
                self._purchases.start(job)
            else:
                await self._close(job, Settlement(state="released", charge=0))
            return
        if job.state == "submitting":
            job = await search.found(job, now_ms) or job
        # Count from when an accepted job's trouble began: before, it may have waited long at fal.
        heard = job.state != "submitting" and job.troubled_ms
        age_ms = now_ms - (heard or job.submitted_ms)
        uncertain = job.state == "submitting" or (job.state == "accepted" and job.trouble)
        if uncertain and age_ms >= self._unknown_after_ms:
            await self._close(job, Settlement(state="unknown", charge=job.order.held, why=UNKNOWN))
        elif job.state == "submitting":
            lease_ms = search.again_ms(age_ms, self._unknown_after_ms - age_ms)
            await self._ports.jobs.mark_uncertain(job, "lost", lease_ms=lease_ms)
        else:
            self._purchases.start(job)

    async def _close(self, job: Job, settlement: Settlement) -> None:
        self._purchases.report(await self._ports.jobs.settle(job, settlement), settlement)

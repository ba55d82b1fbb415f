"""Submits whose answer was lost: found again in fal's list of requests, by what was sent."""

import asyncio
from contextlib import suppress

import msgspec

from falgate.fal.billing import BooksClosed, Listed, same_input
from falgate.jobs.job import Job
from falgate.jobs.ports import Jobs, Platform
from falgate.jobs.twins import has_twin

_APART_MS = 5_000
"""fal's clock and Redis's may be so far apart."""
_LISTING_S = 10.0
_LISTINGS_MAX = 2
_AGAIN_MS_MIN = 2_000


class LostSubmitFinder:
    """One round of looking: however many jobs are looked for, fal is asked once for each endpoint.

    Or twice, where a job is older than the first one. A list that cannot be had is empty, as far
    as this round is concerned: the next one asks again, and in the end the job is settled in full.
    """

    def __init__(self, jobs: Jobs, platform: Platform | None, hook_ms: int = 0) -> None:
        """Look in these books, if there are any.

        Args:
            jobs: What is looked for.
            platform: The books.
            hook_ms: How long after its submit a job that has a twin is left to its completion hook,
                which alone knows whose a request is.
        """
        self._hook_ms = hook_ms
        self._jobs = jobs
        self._platform = platform
        self._lists: dict[str, tuple[int, tuple[Listed, ...]]] = {}
        self._listings: dict[str, int] = {}

    async def found(self, job: Job, now_ms: int) -> Job | None:
        """The job as accepted, if fal lists a request with its input that no other job has.

        Raises:
            Unavailable: Without Redis.
        """
        if self._platform is None or not job.order.input:
            return None
        since_ms = job.submitted_ms - _APART_MS
        for listed in await self._list(self._platform, job.order.endpoint, since_ms, now_ms):
            early = 0 < listed.sent_ms < since_ms
            if early or not same_input(listed, job.order.input):
                continue
            if now_ms - job.submitted_ms < self._hook_ms and await has_twin(self._jobs, job):
                return None
            if await self._jobs.accept(job, listed.request_id):
                return msgspec.structs.replace(
                    job, state="accepted", request_id=listed.request_id, trouble="", troubled_ms=0
                )
        return None

    def again_ms(self, age_ms: int, left_ms: int) -> int:
        """When to look again for what was not found: soon at first, because lists lag; then less.

        Args:
            age_ms: Since the submit.
            left_ms: Until it counts as unknown.
        """
        if self._platform is None:
            return left_ms
        return min(left_ms, max(_AGAIN_MS_MIN, age_ms // 2))

    async def _list(
        self, platform: Platform, endpoint: str, since_ms: int, now_ms: int
    ) -> tuple[Listed, ...]:
        from_ms, listed = self._lists.get(endpoint, (now_ms, ()))
        asked = self._listings.get(endpoint, 0)
        if since_ms < from_ms and asked < _LISTINGS_MAX:
            self._listings[endpoint] = asked + 1
            self._lists[endpoint] = since_ms, ()
            with suppress(BooksClosed, TimeoutError):
                async with asyncio.timeout(_LISTING_S):
                    listed = await platform.requests(endpoint, since_ms, now_ms + _APART_MS)
                self._lists[endpoint] = since_ms, listed
        return self._lists.get(endpoint, (now_ms, ()))[1]

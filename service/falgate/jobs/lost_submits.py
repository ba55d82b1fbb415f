"""Lost submits: a request whose submit had no reply is found in fal's list, by its input."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from falgate.fal.billing import BooksClosed, Listed, same_input
from falgate.jobs.job import Job, Order
from falgate.jobs.ports import Jobs, Platform
from falgate.jobs.twins import has_twin

Sent = Callable[[Order], Awaitable[dict[str, Any] | None]]

_APART_MS = 5_000
"""How far fal's clock and Redis's may be apart, in milliseconds."""
_LISTING_S = 10.0
_LISTINGS_MAX = 2
_AGAIN_MS_MIN = 2_000


class LostSubmitFinder:
    """One round of the search; fal is asked once per endpoint, however many jobs are searched for.

    It is asked twice if a job is older than the first list. If fal's list cannot be read, it counts
    as empty in this round; the next round asks again, and in the end the job is charged in full.
    """

    def __init__(self, jobs: Jobs, platform: Platform | None, sent: Sent, hook_ms: int = 0) -> None:
        """Search in a platform's list of requests.

        Args:
            jobs: The jobs.
            platform: Has the list; None if it cannot be read at all, so that nothing is found.
            sent: Returns the body that was sent for an order; None if that is not known any more.
            hook_ms: How long after its submit a job with a twin is left to fal's completion
                webhook, which alone tells the two requests apart.
        """
        self._hook_ms = hook_ms
        self._jobs = jobs
        self._platform = platform
        self._sent = sent
        self._lists: dict[str, tuple[int, tuple[Listed, ...]]] = {}
        self._listings: dict[str, int] = {}

    async def found(self, job: Job, now_ms: int) -> Job | None:
        """Return the job as accepted, if fal lists a request with its input that no other job has.

        Raises:
            Unavailable: Without Redis.
        """
        if self._platform is None or not job.order.input:
            return None
        if (sent := await self._sent(job.order)) is None:
            return None
        since_ms = job.submitted_ms - _APART_MS
        for listed in await self._list(self._platform, job.order.endpoint, since_ms, now_ms):
            early = 0 < listed.sent_ms < since_ms
            if early or not same_input(listed, sent):
                continue
            if now_ms - job.submitted_ms < self._hook_ms and await has_twin(self._jobs, job):
                return None
            if await self._jobs.accept(job, listed.request_id):
                return msgspec.structs.replace(
                    job, state="accepted", request_id=listed.request_id, trouble="", troubled_ms=0
                )
        return None

    def again_ms(self, age_ms: int, left_ms: int) -> int:
        """Return when to search again, in milliseconds from now.

        Soon at first, because fal's list lags, then at growing intervals.

        Args:
            age_ms: Time since the submit.
            left_ms: Time until the job counts as unknown.
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

"""Cancels a queued request, and its job if no other request waits for that."""

import asyncio

from falgate.jobs.job import Fenced, Job
from falgate.jobs.places import PlaceKeeper
from falgate.jobs.ports import Ports
from falgate.jobs.queue_errors import AlreadyCompleted, RequestUnknown
from falgate.jobs.request import CANCELLED
from falgate.jobs.settlement import Settlement
from falgate.jobs.worker import JobWorker
from falgate.redis.retry import retry_until_available
from falgate.requests.owner import Owner
from falgate.requests.status import StatusService

_LOOKS_MAX = 60
_LOOK_S = 0.5
_PATIENCE_S = 2.0


class CancelService:
    """Cancels queued requests."""

    def __init__(
        self, ports: Ports, purchases: JobWorker, polls: StatusService, together: PlaceKeeper
    ) -> None:
        self._ports = ports
        self._together = together
        self._purchases = purchases
        self._polls = polls
        self._giving_up: set[asyncio.Task[None]] = set()

    async def cancel(self, owner: Owner, request_id: str, target: str) -> None:
        """Cancel a request. Its job continues if other requests wait for it.

        Raises:
            RequestUnknown: This owner has no request of that id under that path.
            AlreadyCompleted: The request has ended.
            Unavailable: Without Redis.
        """
        standing = await self._polls.look(owner, request_id)
        if standing is None or not standing.request.under(target):
            raise RequestUnknown("cancel")
        others = await self._ports.requests.end(standing.request, "cancelled", CANCELLED)
        if others is None:
            raise AlreadyCompleted
        await self._together.ended(standing.request.asked)
        request = await self._ports.requests.read(request_id)
        if others or request is None:
            return
        # A task of its own, so that the job is given up even if the caller disconnects.
        giving_up = asyncio.create_task(self._give_up(request.job), name=f"cancel {request.job}")
        self._giving_up.add(giving_up)
        giving_up.add_done_callback(self._giving_up.discard)
        await asyncio.wait({giving_up}, timeout=_PATIENCE_S)

    async def _give_up(self, job_id: str) -> None:
        for _ in range(_LOOKS_MAX):
            job = await retry_until_available(lambda: self._ports.jobs.read(job_id))
            if job is None or job.ended or job.state == "paid":
                return
            if job.state == "reserved" and await self._release(job):
                return
            if job.state == "accepted":
                upstream = self._ports.upstream(job.order.upstream)
                # The job's worker still reads the result from fal, and settles by that.
                await upstream.cancel(job.order.endpoint, job.request_id)
                return
            # The submit is under way; the job will soon have a request id.
            await asyncio.sleep(_LOOK_S)

    async def _release(self, job: Job) -> bool:
        """Release the hold of a job that was not submitted; return False if that is under way."""
        settlement = Settlement(state="released", charge=0)
        try:
            settled = await retry_until_available(lambda: self._ports.jobs.settle(job, settlement))
        except Fenced:
            return False
        self._purchases.report(settled, settlement)
        return True

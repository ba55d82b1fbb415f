"""Cancelling: a request is taken back, and its job is given up where nobody else waits for it."""

import asyncio

from falgate.core.job import Fenced, Job
from falgate.core.outcome import Settlement
from falgate.core.owner import Owner
from falgate.core.queue_errors import AlreadyCompleted, RequestUnknown
from falgate.core.queued import CANCELLED
from falgate.flow.insist import insist
from falgate.flow.polls import Polls
from falgate.flow.ports import Ports
from falgate.flow.purchase import Purchases
from falgate.flow.together import Together

_LOOKS_MAX = 60
_LOOK_S = 0.5
_PATIENCE_S = 2.0


class Cancelling:
    """Takes requests back."""

    def __init__(
        self, ports: Ports, purchases: Purchases, polls: Polls, together: Together
    ) -> None:
        self._ports = ports
        self._together = together
        self._purchases = purchases
        self._polls = polls
        self._giving_up: set[asyncio.Task[None]] = set()

    async def cancel(self, owner: Owner, request_id: str, target: str) -> None:
        """Take a request back. Its job goes on for all others who wait for it.

        Raises:
            RequestUnknown: This owner has none of that id under that path.
            AlreadyCompleted: It has ended.
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
        # Whatever becomes of the caller: what nobody wants should not be bought.
        giving_up = asyncio.create_task(self._give_up(request.job), name=f"cancel {request.job}")
        self._giving_up.add(giving_up)
        giving_up.add_done_callback(self._giving_up.discard)
        await asyncio.wait({giving_up}, timeout=_PATIENCE_S)

    async def _give_up(self, job_id: str) -> None:
        for _ in range(_LOOKS_MAX):
            job = await insist(lambda: self._ports.jobs.read(job_id))
            if job is None or job.ended or job.state == "paid":
                return
            if job.state == "reserved" and await self._release(job):
                return
            if job.state == "accepted":
                upstream = self._ports.upstream(job.order.upstream)
                # How it ends decides about the money, as ever.
                await upstream.cancel(job.order.endpoint, job.request_id)
                return
            # On its way to the upstream: it will have an id in a moment.
            await asyncio.sleep(_LOOK_S)

    async def _release(self, job: Job) -> bool:
        """Give back what is held for a job that was not sent; False when it is just being sent."""
        settlement = Settlement(state="released", charge=0)
        try:
            await insist(lambda: self._ports.jobs.settle(job, settlement))
            await self._purchases.report(job.order.id, settlement)
        except Fenced:
            return False
        return True

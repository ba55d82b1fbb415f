"""Places: equal requests of one app that are open at once each get pictures of their own.

Only apps with `identical = "distinct"` have them. A *place* is a picture of the pool, or a purchase
that will deliver some; each is assigned to one open request at a time.
"""

# A request that is being answered holds its places by a lease that this process renews. So the
# places of a process that died are free a few seconds later.
#
# A queued request holds its places while its submit is being answered, and after that as long as
# somebody polls it. If nobody does, the reply to its submit may have been lost; the client then
# sends the request again, and must find its purchase instead of buying a second time. For the same
# reason, the places of a client that disconnects are free at once, and its purchase can be joined.
#
# Answers are delayed a little, because requests that are sent together arrive one after the other:
# a hit that is answered at once would give its place back before the next request is here.
#
# Places do not guard money. If two requests hold the same one, after a pause longer than the lease,
# both get the same picture; nothing is bought without a hold.

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from falgate.cache.pool import AppPool
from falgate.core.errors import TimedOut, Unavailable
from falgate.core.picture import Picture
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.request import QueuedRequest, RequestSpec
from falgate.pictures.ports import Places

_LEASE_MS, _POLLED_MS = 5_000, 20_000
_PART = 3


class _Seat:
    """A request that is being answered, how many calls wait for it, and whether its client left."""

    def __init__(self, pool: AppPool) -> None:
        self.pool = pool
        self.holders = 0
        self.left = False


class PlaceKeeper:
    """The requests being answered by this process that get pictures of their own."""

    def __init__(self, places: Places, *, wait_s: float) -> None:
        """Take places; delay successful answers until `wait_s` seconds after the request came."""
        self._places = places
        self._wait_s = wait_s
        self._seats: dict[str, _Seat] = {}
        self._keeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def on_the_line(self, call: AdmittedRequest) -> AsyncIterator[None]:
        """Hold the places of a request for the block."""
        if not call.treatment.distinct:
            yield
            return
        loop = asyncio.get_running_loop()
        goes_at_s = loop.time() + self._wait_s
        seat = self._seats.setdefault(call.request_id, _Seat(app_pool(call)))
        seat.holders += 1
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="places")
        try:
            yield
            await asyncio.sleep(goes_at_s - loop.time())
        finally:
            seat.holders -= 1
            if not seat.holders:
                del self._seats[call.request_id]
                await self._free(seat.pool, call.request_id)

    async def take(self, call: AdmittedRequest, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
        """Return as many of these pictures as are wanted that no other open request has.

        Raises:
            TimedOut: The client has disconnected, so nothing should be bought for it.
            Unavailable: Without Redis.
        """
        seat = self._seats.get(call.request_id)
        if seat and seat.left:
            raise TimedOut("The client has disconnected")
        return await self._places.take(
            app_pool(call), call.request_id, pictures, call.wanted, lease_ms=_LEASE_MS
        )

    async def left(self, call: AdmittedRequest) -> None:
        """Free the places of a client that disconnected, in case it sends the request again."""
        if seat := self._seats.get(call.request_id):
            seat.left = True
            await self._free(seat.pool, call.request_id)

    async def followed(self, request: QueuedRequest) -> None:
        """Renew the places of a queued request because somebody polls it."""
        asked = request.asked
        if asked.treatment.distinct and not request.ended:
            with suppress(Unavailable):
                await self._places.follow(_pool_of(asked), asked.id, lease_ms=_POLLED_MS)

    async def ended(self, asked: RequestSpec) -> None:
        """Free the places of a queued request that has ended."""
        if asked.treatment.distinct and asked.id not in self._seats:
            await self._free(_pool_of(asked), asked.id)

    async def close(self) -> None:
        """Stop renewing, because this process is about to end."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    async def _free(self, pool: AppPool, request_id: str) -> None:
        # Without Redis, they are free when their lease runs out.
        with suppress(Unavailable):
            await self._places.keep(pool, (request_id,), lease_ms=0)

    async def _keep(self) -> None:
        """Renew the places of all requests being answered, until there are none."""
        while self._seats:
            await asyncio.sleep(_LEASE_MS / 1000 / _PART)
            by_pool: dict[AppPool, list[str]] = {}
            for request_id, seat in self._seats.items():
                if not seat.left:
                    by_pool.setdefault(seat.pool, []).append(request_id)
            for pool, request_ids in by_pool.items():
                with suppress(Unavailable):
                    await self._places.keep(pool, request_ids, lease_ms=_LEASE_MS)


def app_pool(call: AdmittedRequest) -> AppPool:
    """Return the pool in which a request takes places: its app's view of it."""
    return AppPool(f"{call.key.team}/{call.key.app}", call.fingerprint)


def _pool_of(asked: RequestSpec) -> AppPool:
    return AppPool(f"{asked.team}/{asked.app}", asked.fingerprint)

"""Requests under way at once: of an app that wants it so, each takes places of its own in a pool.

A *place* is a picture that is there, or a purchase that brings some. Who is on the line holds its
places by a lease that this process renews, so that those of a process that died are free a few
seconds later. A kept request holds its places while its submit is on the line, and from then on as
long as somebody asks how it stands: where nobody does, its submit's reply may be lost, and whoever
sends it again finds its purchase instead of buying a second time. For the same reason the places of
a caller that left are free at once, and its purchase may be joined.

No answer goes out at once: requests that were sent together come one after the other, and a hit
would be gone before the next one is here.

Places are no money. Two requests that hold the same one, after a pause longer than the lease, get
the same picture, and nothing is bought that was not held.
"""

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
    """A caller on the line: what it holds places of, how often it is counted, whether it left."""

    def __init__(self, pool: AppPool) -> None:
        self.pool = pool
        self.holders = 0
        self.left = False


class PlaceKeeper:
    """The callers on the line of this process whose pictures are for them alone."""

    def __init__(self, places: Places, *, wait_s: float) -> None:
        """Take places; let no answer that goes well go out before `wait_s`."""
        self._places = places
        self._wait_s = wait_s
        self._seats: dict[str, _Seat] = {}
        self._keeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def on_the_line(self, call: AdmittedRequest) -> AsyncIterator[None]:
        """Hold the places of a call for the block."""
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
        """Of these, as many as are wanted that no other request under way has.

        Raises:
            TimedOut: The caller has left, and nothing should be bought for nobody.
            Unavailable: Without Redis.
        """
        seat = self._seats.get(call.request_id)
        if seat and seat.left:
            raise TimedOut("The caller has left")
        return await self._places.take(
            app_pool(call), call.request_id, pictures, call.wanted, lease_ms=_LEASE_MS
        )

    async def left(self, call: AdmittedRequest) -> None:
        """A caller on the line has left: what it waited for may be had by who sends it again."""
        if seat := self._seats.get(call.request_id):
            seat.left = True
            await self._free(seat.pool, call.request_id)

    async def followed(self, request: QueuedRequest) -> None:
        """Somebody asks how a kept request stands: it is under way."""
        asked = request.asked
        if asked.treatment.distinct and not request.ended:
            with suppress(Unavailable):
                await self._places.follow(_pool_of(asked), asked.id, lease_ms=_POLLED_MS)

    async def ended(self, asked: RequestSpec) -> None:
        """A kept request has its end: others may have its pictures."""
        if asked.treatment.distinct and asked.id not in self._seats:
            await self._free(_pool_of(asked), asked.id)

    async def close(self) -> None:
        """Renew nothing any more: this process is about to end."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    async def _free(self, pool: AppPool, request_id: str) -> None:
        # Without Redis they are free when their lease is over.
        with suppress(Unavailable):
            await self._places.keep(pool, (request_id,), lease_ms=0)

    async def _keep(self) -> None:
        """Renew the places of all who are on the line, for as long as there are any."""
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
    """Whose places a call may take: its app's, of its pool."""
    return AppPool(f"{call.key.team}/{call.key.app}", call.fingerprint)


def _pool_of(asked: RequestSpec) -> AppPool:
    return AppPool(f"{asked.team}/{asked.app}", asked.fingerprint)

"""Status of queued requests, for callers that poll."""

# fal's Python client polls ten times a second for as long as it waits. A client that was just
# answered is answered again when there is news, or after a second. So it gets news sooner, at a
# tenth of the cost. If many clients wait, that second becomes up to 15, so that polling leaves
# capacity for purchases.

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import NamedTuple

from falgate.jobs.notifier import Notifier, Subscription
from falgate.jobs.places import PlaceKeeper
from falgate.jobs.ports import Ports
from falgate.jobs.progress import RequestProgress
from falgate.requests.owner import Owner

_PACE_S, _PACE_S_MAX = 1.0, 15.0
_ANSWERS_A_SECOND = 100
"""Answers without news that one process gives per second: a small part of a core."""
_KNOWN_MAX = 10_000
_LOOKS_MAX = 32


class _Told(NamedTuple):
    """When a poller was last answered, by the event loop's clock, and its subscription since."""

    at_s: float
    alarm: Subscription


class StatusService:
    """Answers polls; knows when each poller was last answered."""

    def __init__(
        self, ports: Ports, wakes: Notifier, together: PlaceKeeper, *, pace_s: float = _PACE_S
    ) -> None:
        """Repeat an unchanged status after `pace_s` seconds at the earliest."""
        self._ports = ports
        self._together = together
        self._wakes = wakes
        self._pace_s = pace_s
        # Bounds the connections to Redis that pollers use, so that purchases always find one.
        self._sleeping = 0
        self._looks = asyncio.Semaphore(_LOOKS_MAX)
        self._told: OrderedDict[tuple[Owner, str], _Told] = OrderedDict()

    async def look(self, owner: Owner, request_id: str) -> RequestProgress | None:
        """Return the status of a request now; None if this owner has no request of that id.

        Raises:
            Unavailable: Without Redis.
        """
        upstream = self._ports.upstreams[owner.kind].name
        async with self._looks:
            standing = await self._ports.requests.look(request_id, upstream)
        return standing if standing and owner.owns(standing.request.asked) else None

    async def news(self, owner: Owner, request_id: str) -> RequestProgress | None:
        """Return the status as `look` does; if the caller was just answered, wait for news first.

        Raises:
            Unavailable: Without Redis, or because this process is about to end.
        """
        loop, name = asyncio.get_running_loop(), (owner, request_id)
        if told := self._told.pop(name, None):
            try:
                await self._sleep(told)
            finally:
                self._wakes.stop(told.alarm)
        alarm, standing = self._wakes.set(request_id), None
        try:
            standing = await self.look(owner, request_id)
        finally:
            if standing is None or standing.request.ended:
                self._wakes.stop(alarm)
            else:
                self._wakes.extend(alarm, standing.request.job)
                self._note(name, _Told(loop.time(), alarm))
                await self._together.followed(standing.request)
        return standing

    async def _sleep(self, told: _Told) -> None:
        crowd_s = min(self._sleeping / _ANSWERS_A_SECOND, _PACE_S_MAX)
        pace_s = max(self._pace_s, crowd_s)
        left_s = told.at_s + pace_s - asyncio.get_running_loop().time()
        if left_s > 0:
            self._sleeping += 1
            try:
                await self._wakes.sleep(told.alarm, left_s)
            finally:
                self._sleeping -= 1

    async def follow(
        self, owner: Owner, first: RequestProgress
    ) -> AsyncIterator[RequestProgress | None]:
        """Yield the status whenever it changes, to its end, and None if it has not for a while.

        Raises:
            Unavailable: Without Redis, or because this process is about to end.
        """
        told = first
        yield first
        while not told.request.ended:
            found = await self.news(owner, first.request.asked.id)
            if found is None:
                return
            if found == told:
                yield None
            else:
                told = found
                yield found

    def _note(self, name: tuple[Owner, str], told: _Told) -> None:
        if len(self._told) >= _KNOWN_MAX:
            # Forget pollers that have not come for a while. They are ordered by their last poll, so
            # the loop only visits those that it forgets.
            before_s = told.at_s - _PACE_S_MAX
            while self._told and (oldest := next(iter(self._told.items())))[1].at_s < before_s:
                self._wakes.stop(self._told.pop(oldest[0]).alarm)
        if known := self._told.pop(name, None):
            self._wakes.stop(known.alarm)
        self._told[name] = told

"""Polls: how a request stands, for callers who ask again and again.

fal's Python client asks ten times a second for as long as it waits. Who has just been told is told
again when there is news, or after a second: they learn it sooner, and cost a tenth. Where many
wait, it is a few seconds, so that those who poll leave room for those who buy.
"""

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
"""Without news, from one process: a small part of a core."""
_KNOWN_MAX = 10_000
_LOOKS_MAX = 32


class _Told(NamedTuple):
    """When somebody was told, of the event loop's clock, and what rings at news since."""

    at_s: float
    alarm: Subscription


class StatusService:
    """What each request's followers were told last, and when."""

    def __init__(
        self, ports: Ports, wakes: Notifier, together: PlaceKeeper, *, pace_s: float = _PACE_S
    ) -> None:
        """Tell the same no sooner than after `pace_s`."""
        self._ports = ports
        self._together = together
        self._wakes = wakes
        self._pace_s = pace_s
        # However many ask, purchases find a connection to Redis.
        self._sleeping = 0
        self._looks = asyncio.Semaphore(_LOOKS_MAX)
        self._told: OrderedDict[tuple[Owner, str], _Told] = OrderedDict()

    async def look(self, owner: Owner, request_id: str) -> RequestProgress | None:
        """How a request stands now; None when this owner has none of that id (any more).

        Raises:
            Unavailable: Without Redis.
        """
        upstream = self._ports.sellers[owner.kind].name
        async with self._looks:
            standing = await self._ports.requests.look(request_id, upstream)
        return standing if standing and owner.owns(standing.request.asked) else None

    async def news(self, owner: Owner, request_id: str) -> RequestProgress | None:
        """The same, as soon as there is news for whoever was told a moment ago.

        Raises:
            Unavailable: Without Redis, or at the end of this process.
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
        """A standing whenever there is news, to its end; None whenever there was none for a while.

        Raises:
            Unavailable: Without Redis, or at the end of this process.
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
            # Who has not asked for a while is not asking any more. They stand in the order in which
            # they asked, so no more are looked at than are let go.
            before_s = told.at_s - _PACE_S_MAX
            while self._told and (oldest := next(iter(self._told.items())))[1].at_s < before_s:
                self._wakes.stop(self._told.pop(oldest[0]).alarm)
        if known := self._told.pop(name, None):
            self._wakes.stop(known.alarm)
        self._told[name] = told

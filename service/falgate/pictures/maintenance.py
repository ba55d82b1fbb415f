"""Housekeeping: room is kept, what nobody needs is collected, and some pictures are looked at."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly, Doubt, Facts
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.eviction import Evictor
from falgate.pictures.garbage import GarbageCollector
from falgate.pictures.ports import Catalogue

EVERY_S = 5.0
GRACE_MS = 3_600_000
"""What was brought in the last hour may be on its way into a pool still."""
_PASS_S = 60.0
_SAMPLES = 2
_DAY_MS = 86_400_000


class Rounds(Catalogue, Protocol):
    """The catalogue, and whose turn it is to look after it."""

    async def take_round(self, lease_ms: int) -> bool:
        """Whether it is the caller's turn; nobody else's for so long."""

    async def sample(self, number: int) -> list[str]:
        """Names of some pictures, by chance."""


class Checked(Protocol):
    """The picture store. When it cannot be asked: `StoreUnavailable`."""

    async def whole(self, name: str) -> bool | None:
        """Whether a picture's bytes are those of its name; None: it is not there."""


class _Pass:
    """Pages of something, again from the start when they are over, but not at once."""

    def __init__(self, begin: Callable[[], AsyncIterator[list[str]]]) -> None:
        self._begin = begin
        self._pages: AsyncIterator[list[str]] | None = None
        self._rest_until_s = 0.0

    async def next(self) -> list[str]:
        now_s = asyncio.get_running_loop().time()
        if self._pages is None:
            if now_s < self._rest_until_s:
                return []
            self._pages = self._begin()
        try:
            return await anext(self._pages)
        except StopAsyncIteration:
            self._pages, self._rest_until_s = None, now_s + _PASS_S
            return []
        except Unavailable:
            self._pages = None
            raise


class Housekeeping:
    """Looks after the pictures, one instance at a time."""

    def __init__(
        self,
        catalogue: Rounds,
        *,
        collector: GarbageCollector,
        remover: PictureDeleter,
        room: Evictor,
        files: Checked,
        facts: Facts,
        min_days: int,
        results_kept_s: int,
    ) -> None:
        """Look after pictures.

        Args:
            catalogue: All of them.
            collector: Finds those that nobody needs.
            remover: Takes them away.
            room: Keeps room for more.
            files: Where their bytes are.
            facts: Whom losses are told.
            min_days: How long a picture stays that was handed out.
            results_kept_s: How long a kept request's answer names its pictures.
        """
        self._catalogue = catalogue
        self._collector = collector
        self._remover = remover
        self._room = room
        self._files = files
        self._facts = facts
        self._kept_ms = max(min_days * _DAY_MS, results_kept_s * 1000)
        self._min_ms = min_days * _DAY_MS
        self._names = _Pass(catalogue.names)
        self._shelves = _Pass(catalogue.shelves)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            with suppress(Unavailable):
                if await self._catalogue.take_round(int(EVERY_S * 1000)):
                    await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Keep room, and do a little of everything else.

        Raises:
            Unavailable: Without Redis or the store. The next look goes on.
        """
        now_ms = await self._catalogue.now_ms()
        noted_ms = max(0, now_ms - GRACE_MS)
        # Where the room is needed, only what was promised stays.
        await self._room.make(unused_ms=max(0, now_ms - self._min_ms), noted_ms=noted_ms)
        unused_ms = max(0, now_ms - max(self._kept_ms, GRACE_MS))
        names = await self._names.next()
        await self._collector.pictures(names, unused_ms=unused_ms, noted_ms=noted_ms)
        await self._collector.shelves(await self._shelves.next(), unused_ms=unused_ms)
        for name in await self._catalogue.sample(_SAMPLES):
            await self.check(name, noted_ms)

    async def check(self, name: str, noted_ms: int) -> bool:
        """Look at a picture's bytes: a lost or damaged one leaves its pools. Whether it is good.

        One that was brought since `noted_ms` may not be stored yet, and is not looked at.

        Raises:
            Unavailable: Without Redis or the store.
        """
        (record,) = await self._catalogue.records((name,))
        if record is None or record.noted_ms > noted_ms:
            return True
        whole = await self._files.whole(name)
        if whole:
            return True
        what: Doubt = "lost_picture" if whole is None else "damaged_picture"
        self._facts.doubted(Anomaly(what=what, job="", detail=name))
        await self._remover.remove_now([record])
        return False

"""Picture maintenance: evict, garbage-collect and spot-check stored pictures."""

import asyncio
from collections.abc import AsyncIterator, Callable

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly, AnomalyKind, Facts
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.eviction import Evictor
from falgate.pictures.garbage import GarbageCollector
from falgate.pictures.intake import PictureIntake
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.pictures.thumbnails import Thumbnails
from falgate.redis.retry import every

EVERY_S = 5.0
GRACE_MS = 3_600_000
"""A picture stored within the last hour may not have been added to its pool yet."""
_PASS_S = 60.0
_SAMPLES = 2
_DAY_MS = 86_400_000


class _Pass:
    """Pages of an iterator, restarted `_PASS_S` after its end."""

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


class PictureMaintenance:
    """Maintains the pictures; only one instance does at a time."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        collector: GarbageCollector,
        deleter: PictureDeleter,
        evictor: Evictor,
        files: PictureIntake,
        thumbnails: Thumbnails,
        index: PoolIndex,
        facts: Facts,
        min_days: int,
        results_kept_s: int,
    ) -> None:
        """Maintain the pictures of a catalogue.

        Args:
            catalogue: All stored pictures and pools.
            collector: Removes unreferenced pictures and pools.
            deleter: Deletes damaged pictures.
            evictor: Evicts pictures when space runs out.
            files: The picture store.
            thumbnails: Those of the pictures.
            index: By which the gallery finds pools.
            facts: Receives lost and damaged pictures.
            min_days: Days for which a served picture is kept at least.
            results_kept_s: Seconds for which the result of a kept request refers to its pictures.
        """
        self._catalogue = catalogue
        self._collector = collector
        self._deleter = deleter
        self._evictor = evictor
        self._files = files
        self._thumbnails = thumbnails
        self._index = index
        self._facts = facts
        self._kept_ms = max(min_days * _DAY_MS, results_kept_s * 1000)
        self._min_ms = min_days * _DAY_MS
        self._names = _Pass(catalogue.names)
        self._pools = _Pass(catalogue.pool_pages)

    async def run(self) -> None:
        """Run a maintenance round every `EVERY_S` until cancelled, whenever the lock is free."""
        await every(EVERY_S, self._look_if_free)

    async def _look_if_free(self) -> None:
        if await self._catalogue.take_round(int(EVERY_S * 1000)):
            await self.look()

    async def look(self) -> None:
        """Run one round: evict if space is short, collect one page of garbage, check a few files.

        Raises:
            Unavailable: Without Redis or the store. The next round continues.
        """
        now_ms = await self._catalogue.now_ms()
        noted_ms = max(0, now_ms - GRACE_MS)
        # When space is short, only the promised `min_days` protect a picture. Garbage collection
        # also spares pictures that the results of kept requests still refer to.
        await self._evictor.make(unused_ms=max(0, now_ms - self._min_ms), noted_ms=noted_ms)
        unused_ms = max(0, now_ms - max(self._kept_ms, GRACE_MS))
        names = await self._names.next()
        await self._collector.pictures(names, unused_ms=unused_ms, noted_ms=noted_ms)
        fingerprints = await self._pools.next()
        await self._collector.pools(fingerprints, unused_ms=unused_ms)
        await self._index.add_missing(fingerprints)
        await self._thumbnails.sweep()
        for name in await self._catalogue.sample(_SAMPLES):
            await self.check(name, noted_ms)

    async def check(self, name: str, noted_ms: int) -> bool:
        """Check a picture's file; return whether it is intact.

        A lost or damaged picture is removed from its pools. One stored after `noted_ms` is not
        checked, because its file may not be written yet.

        Raises:
            Unavailable: Without Redis or the store.
        """
        (record,) = await self._catalogue.records((name,))
        if record is None or record.noted_ms > noted_ms:
            return True
        whole = await self._files.whole(name)
        if whole:
            return True
        what: AnomalyKind = "lost_picture" if whole is None else "damaged_picture"
        self._facts.anomaly(Anomaly(what=what, job="", detail=name))
        await self._deleter.remove_now([record])
        return False

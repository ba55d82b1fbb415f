"""Deletion of pictures: out of every pool, then out of the store, then out of the catalogue."""

# A picture is deleted in steps, because an instance may serve it from a pool that it read earlier:
# 1. Mark it in the catalogue. From now on a purchase of the same bytes has to wait.
# 2. Take it out of all pools, so that no new reader finds it.
# 3. Wait HANDED_S. Instances that had read a pool before step 2 report their uses meanwhile.
# 4. Keep it if it was used after step 1 (confirm); else delete the file and then the record.
# A mark is void after a minute, so a deletion that died halfway blocks nothing for long. Files that
# are not in the catalogue are never deleted: the bucket may be shared, or the ledger may be new.

import asyncio
from collections.abc import Iterable, Sequence

from falgate.cache.store.pools import Pools
from falgate.pictures.catalogue import Record
from falgate.pictures.intake import PictureIntake
from falgate.pictures.store.catalogue import Catalogue

HANDED_S = 3.0
"""Grace period in which instances that had read a pool before report their uses, seconds. An
instance may answer from memory for `tracking.CURRENT_S` more; it counts its hits after
`hits.BATCH_S`, and reports them after `access.EVERY_S`. The rest is for an instance or a Redis that
is slow."""


class PictureDeleter:
    """Deletes pictures permanently."""

    def __init__(self, catalogue: Catalogue, pools: Pools, files: PictureIntake) -> None:
        """Delete from this catalogue, these pools and this store."""
        self._catalogue = catalogue
        self._pools = pools
        self._files = files

    async def unpool(self, record: Record) -> int:
        """Take a picture out of every pool; return how many had it."""
        found = [
            await self._pools.remove(fingerprint, {record.sha256}) for fingerprint in record.pools
        ]
        return sum(found)

    async def remove(
        self, records: Iterable[Record], *, unused_ms: int, noted_ms: int
    ) -> list[Record]:
        """Delete the pictures not used since `unused_ms` nor stored since `noted_ms`; return them.

        Raises:
            Unavailable: Without Redis or the store. Pictures not deleted by then may already be out
                of their pools; a later call deletes them.
        """
        marked = [
            record
            for record in records
            if await self._catalogue.mark(record.name, unused_ms=unused_ms, noted_ms=noted_ms)
        ]
        for record in marked:
            await self.unpool(record)
        if marked:
            await asyncio.sleep(HANDED_S)
        return [
            record
            for record in marked
            if await self._catalogue.confirm(record.name) and await self._delete(record)
        ]

    async def remove_now(self, records: Sequence[Record]) -> list[Record]:
        """Delete pictures regardless of pins and recent use; return those deleted.

        Raises:
            Unavailable: As in `remove`.
        """
        removed = []
        for record in records:
            if await self._catalogue.mark(record.name, forced=True):
                await self.unpool(record)
                await self._delete(record)
                removed.append(record)
        return removed

    async def _delete(self, record: Record) -> bool:
        await self._files.remove(record.name)
        return await self._catalogue.unregister(record)

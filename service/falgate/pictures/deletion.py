"""Removing pictures: out of every pool, out of the store, out of the catalogue, in that order."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from falgate.pictures.catalogue import Record
from falgate.pictures.ports import Catalogue

HANDED_S = 3.0
"""Who has read a pool just before is telling by then that a picture of it was handed out."""


class Shelves(Protocol):
    """Pools, for those who take pictures out of them. Without Redis: `Unavailable`."""

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        """Take pictures out of one, which begins its next generation; how many it had."""

    async def empty(self, fingerprint: str) -> int:
        """Take every picture out of one, and what is on its way into it too."""


class Files(Protocol):
    """The picture store. When it cannot be asked: `StoreUnavailable`."""

    async def remove(self, name: str) -> None:
        """Remove a picture for good; one that is not there is no trouble."""


class PictureDeleter:
    """Takes pictures away for good."""

    def __init__(self, catalogue: Catalogue, pools: Shelves, files: Files) -> None:
        """Of these pools and these files."""
        self._catalogue = catalogue
        self._pools = pools
        self._files = files

    async def unpool(self, record: Record) -> int:
        """Take a picture out of every pool; how many had it."""
        found = [
            await self._pools.remove(fingerprint, {record.sha256}) for fingerprint in record.pools
        ]
        return sum(found)

    async def remove(
        self, records: Iterable[Record], *, unused_ms: int, noted_ms: int
    ) -> list[Record]:
        """Remove those that nobody has used or brought since then; those that were removed.

        Raises:
            Unavailable: Without Redis or the store. What is not removed may be in no pool any more,
                and is removed by the next who looks.
        """
        condemned = [
            record
            for record in records
            if await self._catalogue.condemn(record.name, unused_ms=unused_ms, noted_ms=noted_ms)
        ]
        for record in condemned:
            await self.unpool(record)
        if condemned:
            await asyncio.sleep(HANDED_S)
        return [
            record
            for record in condemned
            if await self._catalogue.confirm(record.name) and await self._delete(record)
        ]

    async def remove_now(self, records: Sequence[Record]) -> list[Record]:
        """Remove these whatever they are used for, pinned or not; those that were removed.

        Raises:
            Unavailable: Without Redis or the store: as above.
        """
        removed = []
        for record in records:
            if await self._catalogue.condemn(record.name, forced=True):
                await self.unpool(record)
                await self._delete(record)
                removed.append(record)
        return removed

    async def _delete(self, record: Record) -> bool:
        await self._files.remove(record.name)
        return await self._catalogue.bury(record)

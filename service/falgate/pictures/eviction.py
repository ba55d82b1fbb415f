"""Eviction: when the store is nearly full, the pictures least worth keeping are deleted."""

from typing import Protocol

from falgate.core.events import Anomaly, Facts
from falgate.pictures.catalogue import Record
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.store.catalogue import Catalogue

_FULL, _ROOMY = 0.95, 0.90
"""Shares of the allowed size at which eviction starts and stops."""
_DISK_BYTES = 256 * 1024 * 1024
"""With less free space than this a disk counts as nearly full, whatever the setting."""
_AT_ONCE = 200


class Disk(Protocol):
    """The picture store's disk. Methods raise `StoreUnavailable` when it cannot be reached."""

    async def free_bytes(self) -> int | None:
        """Return the free space, bytes; None where there is no such limit."""


class Evictor:
    """Keeps space free for new pictures."""

    def __init__(
        self,
        catalogue: Catalogue,
        deleter: PictureDeleter,
        disk: Disk,
        facts: Facts,
        *,
        bytes_max: int,
    ) -> None:
        """Keep all pictures within `bytes_max` bytes; 0 means as much as the disk has."""
        self._catalogue = catalogue
        self._deleter = deleter
        self._disk = disk
        self._facts = facts
        self._bytes_max = bytes_max

    async def full(self) -> bool:
        """Return whether the store is full, so that nothing may be bought.

        Raises:
            Unavailable: Without Redis.
        """
        if not self._bytes_max:
            return False
        return (await self._catalogue.total()).size_bytes >= self._bytes_max

    async def make(self, *, unused_ms: int, noted_ms: int) -> int:
        """Delete the pictures least worth keeping until there is space; return the bytes freed.

        Pictures that are pinned, were served after `unused_ms` or were stored after `noted_ms`
        stay, even if that leaves no space.

        Raises:
            Unavailable: Without Redis or the store.
        """
        needed = await self._needed()
        removed = offset = 0
        while removed < needed:
            names = await self._catalogue.cheapest(offset, _AT_ONCE)
            if not names:
                self._facts.anomaly(Anomaly(what="store_full", job="", detail=str(needed)))
                break
            batch: list[Record] = []
            size_bytes = 0
            for record in await self._catalogue.records(names):
                if record is None or not record.idle(unused_ms, noted_ms):
                    continue
                batch.append(record)
                size_bytes += record.size_bytes
                if removed + size_bytes >= needed:
                    break
            gone = await self._deleter.remove(batch, unused_ms=unused_ms, noted_ms=noted_ms)
            removed += sum(record.size_bytes for record in gone)
            offset += len(names) - len(gone)
        return removed

    async def _needed(self) -> int:
        """Return how many bytes have to be freed; 0 while there is space."""
        size_bytes = (await self._catalogue.total()).size_bytes
        free_bytes = await self._disk.free_bytes()
        needed = 0
        if self._bytes_max and size_bytes > _FULL * self._bytes_max:
            needed = size_bytes - int(_ROOMY * self._bytes_max)
        if free_bytes is not None and free_bytes < _DISK_BYTES:
            needed = max(needed, 2 * _DISK_BYTES - free_bytes)
        return needed

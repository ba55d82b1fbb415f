"""Room: where the store is nearly full, what is worth least is removed, and nothing else."""

from typing import Protocol

from falgate.core.events import Anomaly, Facts
from falgate.pictures.catalogue import Record
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.ports import Catalogue

_FULL, _ROOMY = 0.95, 0.90
"""Of the room: from where on pictures are removed, and down to where."""
_DISK_BYTES = 256 * 1024 * 1024
"""A disk with less than this left is nearly full, whatever the setting says."""
_AT_ONCE = 200


class Disk(Protocol):
    """Where the pictures are. When it cannot be asked: `StoreUnavailable`."""

    async def free_bytes(self) -> int | None:
        """Room that is left; None where there is no such limit."""


class Evictor:
    """Keeps room for pictures that are bought."""

    def __init__(
        self,
        catalogue: Catalogue,
        remover: PictureDeleter,
        disk: Disk,
        facts: Facts,
        *,
        bytes_max: int,
    ) -> None:
        """Keep all pictures within `bytes_max`, 0 for as much as the disk has."""
        self._catalogue = catalogue
        self._remover = remover
        self._disk = disk
        self._facts = facts
        self._bytes_max = bytes_max

    async def full(self) -> bool:
        """Whether nothing more may be bought; raises `Unavailable` without Redis."""
        if not self._bytes_max:
            return False
        return (await self._catalogue.total()).size_bytes >= self._bytes_max

    async def make(self, *, unused_ms: int, noted_ms: int) -> int:
        """Remove what is worth least until there is room again; how many bytes that were.

        Pictures that are pinned, that were handed out since `unused_ms` or brought since `noted_ms`
        stay, even if that leaves no room.

        Raises:
            Unavailable: Without Redis or the store.
        """
        needed = await self._needed()
        removed = offset = 0
        while removed < needed:
            names = await self._catalogue.cheapest(offset, _AT_ONCE)
            if not names:
                self._facts.doubted(Anomaly(what="store_full", job="", detail=str(needed)))
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
            gone = await self._remover.remove(batch, unused_ms=unused_ms, noted_ms=noted_ms)
            removed += sum(record.size_bytes for record in gone)
            offset += len(names) - len(gone)
        return removed

    async def _needed(self) -> int:
        """How many bytes have to go; 0 while there is room."""
        size_bytes = (await self._catalogue.total()).size_bytes
        free_bytes = await self._disk.free_bytes()
        needed = 0
        if self._bytes_max and size_bytes > _FULL * self._bytes_max:
            needed = size_bytes - int(_ROOMY * self._bytes_max)
        if free_bytes is not None and free_bytes < _DISK_BYTES:
            needed = max(needed, 2 * _DISK_BYTES - free_bytes)
        return needed

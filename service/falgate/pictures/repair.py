"""Repair: a picture that is asked for and is not stored leaves its pools, so it is bought again."""

import asyncio
from contextlib import suppress

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly, Facts
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.storage import PictureStore
from falgate.pictures.store.catalogue import Catalogue

EVERY_S = 0.1
"""Anybody may ask for names that were never stored, so looks have a pace of their own; seconds."""


class RepairingSource:
    """The picture store, as pictures are read from it for callers."""

    def __init__(
        self, store: PictureStore, catalogue: Catalogue, deleter: PictureDeleter, facts: Facts
    ) -> None:
        """Read from `store`; take lost pictures out of their pools with `deleter`."""
        self._store = store
        self._catalogue = catalogue
        self._deleter = deleter
        self._facts = facts
        self._next_s = 0.0

    async def size(self, name: str) -> int | None:
        """Return the length of a picture, bytes, or None if it is not stored.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        size_bytes = await self._store.size(name)
        if size_bytes is None:
            await self._repair(name)
        return size_bytes

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes from `start` up to but excluding `end`, or None if not stored.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        return await self._store.read(name, start, end)

    async def _repair(self, name: str) -> None:
        """Take a lost picture out of its pools, unless another look was just made."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        with suppress(Unavailable):  # A later request for the picture, or a spot check, repairs it.
            (record,) = await self._catalogue.records((name,))
            if record is not None and await self._deleter.unpool(record):
                self._facts.anomaly(Anomaly(what="lost_picture", job="", detail=name))

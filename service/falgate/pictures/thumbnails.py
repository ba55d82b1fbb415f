"""Thumbnails: small WebP files of stored pictures, made when they are first asked for."""

import asyncio
from typing import Literal

from falgate.core.errors import Unavailable
from falgate.core.picture import NotAPicture
from falgate.pictures.catalogue import Record
from falgate.pictures.convert import Converter
from falgate.pictures.provenance import holds
from falgate.pictures.storage import PictureStore, thumbnail_path
from falgate.pictures.store.thumbnails import ThumbnailRegister

Side = Literal[256, 512]
SIDE_PX: Side = 256
CONTENT_TYPE = "image/webp"
_WAIT_S = 20.0
_STALE_MS = 3_600_000
"""No write lasts as long: of a thumbnail that began before, nothing is under way any more."""


class ThumbnailsBusy(Unavailable):
    """Too many thumbnails are being made; a later request gets this one."""

    def __init__(self) -> None:
        """Say when to try again."""
        super().__init__("Thumbnails are being made; ask for this one again in a moment")


class Thumbnails:
    """The thumbnails of stored pictures.

    One is made at a time, so that a page of new pictures does not hold up conversions that apps
    wait for: both are made by the same process.
    """

    def __init__(
        self, store: PictureStore, register: ThumbnailRegister, converter: Converter
    ) -> None:
        """Keep them in `store`, beside the pictures; make them with `converter`."""
        self._store = store
        self._register = register
        self._converter = converter
        self._turn = asyncio.Semaphore(1)

    async def get(self, record: Record, side_px: Side) -> bytes | None:
        """Return a picture's thumbnail of at most this width and height, as WebP.

        None if the picture is not stored or is being deleted, or cannot be decoded.

        Raises:
            Unavailable: Without Redis or the store.
            ThumbnailsBusy: Many others are being made.
        """
        path = thumbnail_path(record.name, side_px)
        if record.holds is not None and (data := await self._store.read_file(path)) is not None:
            return data
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._turn.acquire()
        except TimeoutError:
            raise ThumbnailsBusy from None
        try:
            # Another request may have made it meanwhile.
            return await self._store.read_file(path) or await self._made(record, path, side_px)
        finally:
            self._turn.release()

    async def _made(self, record: Record, path: str, side_px: Side) -> bytes | None:
        picture = await self._store.read(record.name)
        if picture is None:
            return None
        try:
            data = await self._converter.thumbnail(picture, side_px)
        except NotAPicture:
            return None
        if not await self._register.begin(record.name):
            return None
        await self._store.put_file(path, data, CONTENT_TYPE)
        if await self._register.end(record.name, holds(picture)):
            return data
        # The picture was deleted meanwhile; whoever did so may have looked for it before.
        await self._discard(record.name)
        return None

    async def _discard(self, name: str) -> None:
        await self._store.delete_thumbnails(name)
        await self._register.forget(name)

    async def sweep(self) -> int:
        """Delete thumbnails whose picture was deleted while they were stored; return how many.

        Raises:
            Unavailable: Without Redis or the store.
        """
        lost = await self._register.stale(_STALE_MS)
        for name in lost:
            await self._discard(name)
        return len(lost)

"""Picture intake: examine, store, convert and verify pictures."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from falgate.core.errors import StoreFull, Unavailable
from falgate.core.picture import Kept, NotAPicture, Picture
from falgate.pictures.convert import Converter
from falgate.pictures.storage import PictureStore

_CHECKED_FOR_S = 1.0
_DECODED_AT_ONCE = 2
_CONVERTED_AT_ONCE = 2
"""One being converted, and the next one's bytes read meanwhile."""
_CONVERT_WAIT_S = 30.0


class PictureIntake:
    """The picture store as purchases use it."""

    def __init__(
        self,
        store: PictureStore,
        converter: Converter,
        full: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Store in `store`, convert with `converter`, and refuse pictures while `full`."""
        self._full = full
        self._store = store
        self._converter = converter
        self._checking = asyncio.Lock()
        self._checked_s = float("-inf")
        self._refused: Unavailable | None = None
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)
        self._converting = asyncio.Semaphore(_CONVERTED_AT_ONCE)

    async def examine(self, data: bytes, pixels_max: int) -> Kept:
        """Check that the bytes begin with a complete picture of at most `pixels_max` pixels.

        The result describes the picture itself, without any bytes after its end.

        Raises:
            NotAPicture: They do not.
        """
        async with self._decoding:
            return await asyncio.to_thread(_look, data, pixels_max)

    async def keep(self, data: bytes, kept: Kept) -> None:
        """Store bytes that were examined, without any bytes after the picture; idempotent.

        Raises:
            StoreUnavailable: The write failed; nothing of it is visible.
        """
        await self._store.put(data[: kept.size_bytes], kept.name)

    async def convert(self, picture: Picture, content_type: str) -> bytes | None:
        """Convert a stored picture to another file type; return None if that is impossible.

        Raises:
            StoreUnavailable: The picture cannot be read.
        """
        pixels = picture.width * picture.height
        try:
            # A request that would have to wait longer is served sooner by a purchase.
            async with asyncio.timeout(_CONVERT_WAIT_S):
                await self._converting.acquire()
        except TimeoutError:
            return None
        try:
            data = await self._store.read(picture.name)
            return data and await self._converter.convert(data, content_type, pixels)
        except NotAPicture:
            return None
        finally:
            self._converting.release()

    async def whole(self, name: str) -> bool | None:
        """Return whether a picture's bytes match the hash in its name; None if it is not stored.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        data = await self._store.read(name)
        if data is None:
            return None
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        return name.startswith(f"{digest}.")

    async def remove(self, name: str) -> None:
        """Delete a picture's file and its thumbnails; missing ones are ignored.

        The picture goes last: while it is there, a deletion that failed is tried again.

        Raises:
            StoreUnavailable: The picture may still exist.
        """
        await self._store.delete_thumbnails(name)
        await self._store.delete(name)

    async def ready(self) -> None:
        """Check that a picture could be stored now; called before money is held for a purchase.

        The result, good or bad, is reused for one second and shared by concurrent callers: a burst
        of requests causes one write, and no queue of callers that each wait for a failing store.

        Raises:
            StoreUnavailable: The store does not accept writes.
            StoreFull: The store is full.
            Unavailable: Without Redis, which knows how much is stored.
        """
        loop = asyncio.get_running_loop()
        async with self._checking:
            if loop.time() - self._checked_s >= _CHECKED_FOR_S:
                self._refused = await self._refusal()
                self._checked_s = loop.time()
            if self._refused is not None:
                raise self._refused.with_traceback(None)

    async def _refusal(self) -> Unavailable | None:
        """Return the reason why no picture could be stored now, or None."""
        try:
            await self._store.check()
            if self._full is not None and await self._full():
                return StoreFull()
        except Unavailable as refusal:
            return refusal
        return None


def _look(data: bytes, pixels_max: int) -> Kept:
    # Pillow is loaded by the first purchase.
    from falgate.pictures.inspect import examine  # noqa: PLC0415 - when it is needed

    examined = examine(data, pixels_max)
    return Kept(
        sha256=hashlib.sha256(memoryview(data)[: examined.size_bytes]).hexdigest(),
        content_type=examined.content_type,
        size_bytes=examined.size_bytes,
        width=examined.width,
        height=examined.height,
        opaque=examined.opaque,
    )

"""Banking: a delivery becomes a stored picture under its own hash, or nothing."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from falgate.core.errors import StoreFull, Unavailable
from falgate.core.picture import Kept, NotAPicture, Picture
from falgate.pictures.convert import Converter
from falgate.pictures.inspect import examine
from falgate.pictures.storage import PictureStore

_CHECKED_FOR_S = 1.0
_DECODED_AT_ONCE = 2
_CONVERTED_AT_ONCE = 2
"""One in the process that converts, and the next one's bytes."""
_CONVERT_WAIT_S = 30.0


class PictureIntake:
    """The picture store as purchases see it."""

    def __init__(
        self,
        store: PictureStore,
        converter: Converter,
        full: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Keep pictures in `store` unless it is `full`, and convert them by `converter`."""
        self._full = full
        self._store = store
        self._converter = converter
        self._checking = asyncio.Lock()
        self._checked_s = float("-inf")
        self._refused: Unavailable | None = None
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)
        self._converting = asyncio.Semaphore(_CONVERTED_AT_ONCE)

    async def examine(self, data: bytes, pixels_max: int) -> Kept:
        """Check that these bytes begin with a whole picture of at most so many pixels.

        What is known of it is of the picture itself, without what may follow it.

        Raises:
            NotAPicture: They do not.
        """
        async with self._decoding:
            return await asyncio.to_thread(_look, data, pixels_max)

    async def keep(self, data: bytes, kept: Kept) -> None:
        """Store bytes that were examined; a repeat changes nothing.

        Raises:
            StoreUnavailable: They could not be stored; nothing of them is visible.
        """
        await self._store.put(data[: kept.size_bytes], kept.name)

    async def convert(self, picture: Picture, content_type: str) -> bytes | None:
        """Another type of file of a stored picture; None where that cannot be made.

        Raises:
            StoreUnavailable: It cannot be read.
        """
        pixels = picture.width * picture.height
        try:
            # Whoever would wait for longer is served sooner by a purchase.
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

    async def has(self, picture: Picture) -> bool:
        """Whether a picture is there; raises `StoreUnavailable` when nobody knows.

        One of another length was damaged, and is as good as lost.
        """
        return await self._store.size(picture.name) == picture.size_bytes

    async def whole(self, name: str) -> bool | None:
        """Whether a picture's bytes are those that its name stands for; None: it is not there.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        data = await self._store.read(name)
        if data is None:
            return None
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        return name.startswith(f"{digest}.")

    async def remove(self, name: str) -> None:
        """Remove a picture for good; one that is not there is no trouble.

        Raises:
            StoreUnavailable: It may be there still.
        """
        await self._store.delete(name)

    async def ready(self) -> None:
        """See that a picture could be stored now.

        One look serves all who ask while it lasts, and for a second after, whatever it finds: a
        rush of callers needs no rush of files, nor a queue where each waits for a failure.

        Raises:
            StoreUnavailable: It cannot be.
            StoreFull: There is no room for it.
            Unavailable: Nobody knows, without Redis.
        """
        loop = asyncio.get_running_loop()
        async with self._checking:
            if loop.time() - self._checked_s >= _CHECKED_FOR_S:
                self._refused = await self._refusal()
                self._checked_s = loop.time()
            if self._refused is not None:
                raise self._refused.with_traceback(None)

    async def _refusal(self) -> Unavailable | None:
        """Why a picture could not be stored now."""
        try:
            await self._store.check()
            if self._full is not None and await self._full():
                return StoreFull()
        except Unavailable as refusal:
            return refusal
        return None


def _look(data: bytes, pixels_max: int) -> Kept:
    examined = examine(data, pixels_max)
    return Kept(
        sha256=hashlib.sha256(memoryview(data)[: examined.size_bytes]).hexdigest(),
        content_type=examined.content_type,
        size_bytes=examined.size_bytes,
        width=examined.width,
        height=examined.height,
        opaque=examined.opaque,
    )

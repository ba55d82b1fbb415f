"""Banking: a delivery becomes a stored picture under its own hash, or nothing."""

import asyncio
import hashlib

from falgate.core.picture import EXTENSIONS, Kept, Picture
from falgate.pictures.inspect import Examined, examine
from falgate.pictures.store import PictureStore

_CHECKED_FOR_S = 1.0


class Bank:
    """The picture store as purchases see it."""

    def __init__(self, store: PictureStore) -> None:
        """Keep pictures in `store`."""
        self._store = store
        self._checking = asyncio.Lock()
        self._checked_s = float("-inf")

    async def keep(self, data: bytes) -> Kept:
        """Check that these bytes are a whole picture, and store them; a repeat changes nothing.

        Raises:
            NotAPicture: They are none.
            StoreUnavailable: They could not be stored; nothing of them is visible.
        """
        examined, sha256 = await asyncio.to_thread(_look, data)
        await self._store.put(data, f"{sha256}.{EXTENSIONS[examined.content_type]}")
        return Kept(
            sha256=sha256,
            content_type=examined.content_type,
            size_bytes=len(data),
            width=examined.width,
            height=examined.height,
        )

    async def has(self, picture: Picture) -> bool:
        """Whether a picture is there; raises `StoreUnavailable` when nobody knows.

        One of another length was damaged, and is as good as lost.
        """
        return await self._store.size(picture.name) == picture.size_bytes

    async def ready(self) -> None:
        """See that a picture could be stored now; raises `StoreUnavailable` otherwise.

        One look serves all who ask within a second: a rush of callers needs no rush of files.
        """
        async with self._checking:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._checked_s >= _CHECKED_FOR_S:
                await self._store.check()
                self._checked_s = now_s


def _look(data: bytes) -> tuple[Examined, str]:
    return examine(data), hashlib.sha256(data).hexdigest()

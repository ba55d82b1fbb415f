"""Banking: a delivery becomes a stored picture under its own hash, or nothing."""

import asyncio
import hashlib

from falgate.core.picture import EXTENSIONS, Kept
from falgate.pictures.inspect import Examined, examine
from falgate.pictures.store import PictureStore


class Bank:
    """The picture store as purchases see it."""

    def __init__(self, store: PictureStore) -> None:
        """Keep pictures in `store`."""
        self._store = store

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

    async def has(self, name: str) -> bool:
        """Whether a picture is there; raises `StoreUnavailable` when nobody knows."""
        return await self._store.has(name)


def _look(data: bytes) -> tuple[Examined, str]:
    return examine(data), hashlib.sha256(data).hexdigest()

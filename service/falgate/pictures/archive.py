"""Ledger archives: compressed files in the picture store, outside the served prefix."""

import asyncio
import gzip
import hashlib
import re

from falgate.core.errors import StoreUnavailable
from falgate.pictures.storage import PictureStore

PREFIX = "ledger/"


class Archive:
    """Files of old ledger entries. Like pictures, a file is written completely or not at all."""

    def __init__(self, store: PictureStore) -> None:
        """Keep the files in this store."""
        self._store = store

    async def put(self, upstream: str, name: str, lines: bytes) -> str:
        """Store JSON lines and read them back to verify them; return their path.

        The same lines under the same name give the same file, so a repeat changes nothing.

        Raises:
            StoreUnavailable: They could not be written or read back.
        """
        path = f"{PREFIX}{folder(upstream)}/{name}.jsonl.gz"
        packed = await asyncio.to_thread(gzip.compress, lines, mtime=0)
        await self._store.put_file(path, packed, "application/gzip")
        if await self.read(path) != lines:
            raise StoreUnavailable
        return path

    async def read(self, path: str) -> bytes | None:
        """Return the lines of a file, or None if it does not exist.

        Raises:
            StoreUnavailable: The store could not tell, or the file is damaged.
        """
        packed = await self._store.read_file(path)
        try:
            return None if packed is None else await asyncio.to_thread(gzip.decompress, packed)
        except (OSError, EOFError) as error:
            raise StoreUnavailable from error


def folder(upstream: str) -> str:
    """Return an upstream's name as a folder name, without characters that some stores reject."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", upstream)
    if plain == upstream:
        return plain
    return f"{plain}-{hashlib.sha256(upstream.encode()).hexdigest()[:8]}"

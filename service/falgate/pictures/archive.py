"""Archives of the ledger: compressed files beside the pictures, where nothing is served."""

import asyncio
import gzip
import hashlib
import re

from falgate.core.errors import StoreUnavailable
from falgate.pictures.storage import PictureStore

PREFIX = "ledger/"


class Archive:
    """Files of old entries. A file is there as a whole or not at all, like a picture."""

    def __init__(self, store: PictureStore) -> None:
        """Keep them in this store."""
        self._store = store

    async def put(self, upstream: str, name: str, lines: bytes) -> str:
        """Keep lines of JSON, and read them back to be sure; where they are.

        The same lines under the same name make the same file: a repeat changes nothing.

        Raises:
            StoreUnavailable: They could not be written, or read back.
        """
        path = f"{PREFIX}{folder(upstream)}/{name}.jsonl.gz"
        packed = await asyncio.to_thread(gzip.compress, lines, mtime=0)
        await self._store.put_file(path, packed, "application/gzip")
        if await self.read(path) != lines:
            raise StoreUnavailable
        return path

    async def read(self, path: str) -> bytes | None:
        """The lines of a file, or None when it is not there.

        Raises:
            StoreUnavailable: Nobody knows, or the file is damaged.
        """
        packed = await self._store.read_file(path)
        try:
            return None if packed is None else await asyncio.to_thread(gzip.decompress, packed)
        except (OSError, EOFError) as error:
            raise StoreUnavailable from error


def folder(upstream: str) -> str:
    """An upstream's name as a folder's: a URL has characters that not every store takes."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", upstream)
    if plain == upstream:
        return plain
    return f"{plain}-{hashlib.sha256(upstream.encode()).hexdigest()[:8]}"

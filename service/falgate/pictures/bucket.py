"""Files in a bucket (S3, Google Cloud Storage, Azure) or in memory, through obstore."""

from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import MemoryStore, ObjectStore, from_url


class Bucket:
    """Files by path. A missing file is `FileNotFoundError`; anything else is an obstore error.

    Attributes:
        errors: The classes of all errors.
    """

    errors: tuple[type[Exception], ...] = (BaseError, OSError)

    def __init__(self, url: str) -> None:
        """Open the bucket with credentials from the environment.

        Raises:
            ValueError: The URL holds credentials.
            BaseError: The URL is not that of a bucket.
        """
        self._store = _opened(url)

    async def size(self, path: str) -> int:
        """Return the length of a file, bytes."""
        return (await obstore.head_async(self._store, path))["size"]

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes of a file from `start` up to but excluding `end`."""
        if end is not None:
            part = await obstore.get_range_async(self._store, path, start=start, end=end)
            return part.to_bytes()
        if start:
            rest = await obstore.get_async(self._store, path, options={"range": {"offset": start}})
            return (await rest.bytes_async()).to_bytes()
        whole = await obstore.get_async(self._store, path)
        return (await whole.bytes_async()).to_bytes()

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Replace a file atomically."""
        await obstore.put_async(
            self._store,
            path,
            data,
            # For a web server or CDN that serves the bucket directly.
            attributes={"Content-Type": content_type},
            # In one request: the parts of an aborted upload would stay, invisible but billed.
            use_multipart=False,
        )

    async def delete(self, path: str) -> None:
        """Delete a file."""
        await obstore.delete_async(self._store, path)

    async def free_bytes(self) -> int | None:
        """Return None: a bucket has no such limit."""
        return None


def _opened(url: str) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.password or parts.query:
        raise ValueError("it contains credentials; set them in the environment instead")
    # obstore's defaults would retry for three minutes.
    return from_url(url, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)})

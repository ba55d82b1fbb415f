"""Files of a bucket (S3, Google Cloud Storage, Azure), or of this process's memory, by obstore."""

from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from obstore.store import MemoryStore, ObjectStore, from_url


class Bucket:
    """Files by their paths. Not there: `FileNotFoundError`; all else: an error of obstore's."""

    def __init__(self, url: str) -> None:
        """Open it, with credentials from the environment.

        Raises:
            ValueError: There are credentials in the URL.
            BaseError: It is no URL of a bucket.
        """
        self._store = _opened(url)

    async def size(self, path: str) -> int:
        """Its length in bytes."""
        return (await obstore.head_async(self._store, path))["size"]

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Its bytes from `start` up to before `end`."""
        if end is not None:
            part = await obstore.get_range_async(self._store, path, start=start, end=end)
            return part.to_bytes()
        if start:
            rest = await obstore.get_async(self._store, path, options={"range": {"offset": start}})
            return (await rest.bytes_async()).to_bytes()
        whole = await obstore.get_async(self._store, path)
        return (await whole.bytes_async()).to_bytes()

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Have a path show all of these bytes, or what it showed before."""
        await obstore.put_async(
            self._store,
            path,
            data,
            # For whoever serves it directly.
            attributes={"Content-Type": content_type},
            # In one request: parts of an upload that broke off would stay, unseen and paid for.
            use_multipart=False,
        )

    async def delete(self, path: str) -> None:
        """Remove it."""
        await obstore.delete_async(self._store, path)

    async def free_bytes(self) -> int | None:
        """It has no such limit."""
        return None


def _opened(url: str) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.password or parts.query:
        raise ValueError("it holds credentials, which belong into the environment")
    # Without these an answer takes three minutes to be given up.
    return from_url(url, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)})

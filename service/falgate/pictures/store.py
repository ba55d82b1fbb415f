"""The picture store: pictures by the hash of their bytes, on disk or in a bucket."""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from falgate.core.errors import StoreFull, StoreUnavailable
from falgate.core.faults import words
from falgate.core.picture import Stored, media_type_of

# Archives of the ledger share the store: nothing outside this prefix is ever served.
PREFIX = "pictures/"
_CHECK = "check"
FREE_BYTES_MIN = 64 * 1024 * 1024
_PAGE = 500
_ALIVE = b"falgate can write here\n"

T = TypeVar("T")


class PictureStore:
    """Pictures by name, which is their SHA-256 and an extension; any other name is not there.

    A write is atomic: a name shows all of its bytes or nothing. On disk it is also durable when
    `put` returns: obstore renames a complete file into place, and we have the system sync it.
    """

    def __init__(self, url: str, troubled: Callable[[str], None] = lambda _: None) -> None:
        """Open the store, and make its directory when it is one.

        Args:
            url: Where it is.
            troubled: Given the words of an error when it cannot be asked.

        Raises:
            ValueError: No store can be opened under this URL.
        """
        self._troubled = troubled
        self._root: Path | None = None
        try:
            parts = urlsplit(url)
            if parts.scheme == "file":
                self._root = _directory(url)
                self._store: ObjectStore = LocalStore(prefix=self._root)
            elif parts.scheme == "memory":
                self._store = MemoryStore()
            else:
                self._store = _bucket(url)
        except (BaseError, OSError, ValueError) as error:
            # obstore's own words go on for many lines; the first one says it.
            why = next(iter(str(error).splitlines()), type(error).__name__)
            raise ValueError(
                f"The URL of the picture store does not work: {why}. Give file:///directory, "
                "s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
            ) from error

    async def put(self, data: bytes, name: str) -> None:
        """Keep a picture; a repeat changes nothing.

        Raises:
            StoreUnavailable: It could not be written. Nothing of it is visible.
        """
        media_type = media_type_of(name)
        assert media_type is not None, "a picture's name is made from its hash"
        await self._write(f"{PREFIX}{name}", data, media_type)

    async def size(self, name: str) -> int | None:
        """Its length in bytes, or None when it is not there.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        if media_type_of(name) is None:
            return None
        found = await self._found(obstore.head_async(self._store, f"{PREFIX}{name}"))
        return None if found is None else found["size"]

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Its bytes from `start` up to before `end`, or None when it is not there.

        `start` lies inside the picture, and before `end`.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        if media_type_of(name) is None:
            return None
        return await self._found(self._read(f"{PREFIX}{name}", start, end))

    async def delete(self, name: str) -> None:
        """Remove a picture; one that is not there is no trouble.

        Raises:
            StoreUnavailable: It may be there still.
        """
        assert media_type_of(name) is not None, "nothing else is removed"
        path = f"{PREFIX}{name}"
        try:
            await obstore.delete_async(self._store, path)
            if self._root is not None:
                await asyncio.to_thread(_sync_above, self._root, path)
        except FileNotFoundError:
            pass
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    async def listing(self) -> AsyncIterator[list[Stored]]:
        """All pictures, in pages and in no order; what has no picture's name is left out.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        try:
            async for page in obstore.list(self._store, PREFIX, chunk_size=_PAGE):
                named = ((each["path"].removeprefix(PREFIX), each) for each in page)
                yield [
                    Stored(name, each["size"], int(each["last_modified"].timestamp()))
                    for name, each in named
                    if media_type_of(name)
                ]
        except FileNotFoundError:
            return  # Nothing was ever stored.
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    async def free_bytes(self) -> int | None:
        """Room on the disk that holds it; None where there is no such limit.

        Raises:
            StoreUnavailable: The disk is gone.
        """
        if self._root is None:
            return None
        try:
            return (await asyncio.to_thread(shutil.disk_usage, self._root)).free
        except OSError as error:
            raise self._unavailable(error) from error

    async def put_file(self, path: str, data: bytes, content_type: str) -> None:
        """Keep a file that is no picture, outside what is served; a repeat changes nothing.

        Raises:
            StoreUnavailable: It could not be written. Nothing of it is visible.
        """
        assert not path.startswith(PREFIX)
        await self._write(path, data, content_type)

    async def read_file(self, path: str) -> bytes | None:
        """The bytes of such a file, or None when it is not there.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        return await self._found(self._read(path, 0, None))

    async def check(self) -> None:
        """Write and read a file beside the pictures, on a disk that has room for more.

        Raises:
            StoreUnavailable: That failed.
            StoreFull: There is hardly room for anything.
        """
        free = await self.free_bytes()
        if free is not None and free < FREE_BYTES_MIN:
            raise StoreFull
        await self._write(_CHECK, _ALIVE, "text/plain")
        if await self._found(self._read(_CHECK, 0, None)) != _ALIVE:
            raise StoreUnavailable

    async def _read(self, path: str, start: int, end: int | None) -> bytes:
        if end is not None:
            part = await obstore.get_range_async(self._store, path, start=start, end=end)
            return part.to_bytes()
        if start:
            rest = await obstore.get_async(self._store, path, options={"range": {"offset": start}})
            return (await rest.bytes_async()).to_bytes()
        whole = await obstore.get_async(self._store, path)
        return (await whole.bytes_async()).to_bytes()

    async def _write(self, path: str, data: bytes, content_type: str) -> None:
        # A file has no attributes; a bucket keeps the type for whoever serves it directly.
        attributes = {"Content-Type": content_type} if self._root is None else None
        if self._root is not None and not self._root.is_dir():
            # A write would make it anew, empty, and every picture would be bought again.
            raise self._unavailable(FileNotFoundError("its directory is gone"))
        try:
            # In one request: parts of an upload that broke off would stay, unseen and paid for.
            await obstore.put_async(
                self._store, path, data, attributes=attributes, use_multipart=False
            )
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root, path)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        self._troubled(words(error, paths=True))
        return StoreUnavailable()

    async def _found(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except FileNotFoundError as error:
            # Without its directory a store has lost its disk, not every single picture.
            if self._root is not None and not self._root.is_dir():
                raise self._unavailable(error) from error
            return None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error


def _bucket(url: str) -> ObjectStore:
    """A store of obstore's, which takes its credentials from the environment."""
    parts = urlsplit(url)
    if parts.password or parts.query:
        raise ValueError("it holds credentials, which belong into the environment")
    # Without these an answer takes three minutes to be given up.
    return from_url(url, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)})


def _directory(url: str) -> Path:
    """The directory of a file URL, made when it is missing."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or parts.query or parts.fragment or not path.is_absolute():
        raise ValueError("a file URL has three slashes and an absolute path")
    path.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    return path


def _sync(root: Path, path: str) -> None:
    """Have a file outlive a power cut, and its name too: that stands in the directories above."""
    _sync_each(root / path, *_above(root, path))


def _sync_above(root: Path, path: str) -> None:
    """Have a file be gone after a power cut, too."""
    _sync_each(*_above(root, path))


def _above(root: Path, path: str) -> list[Path]:
    return [above for above in (root / path).parents if above.is_relative_to(root)]


def _sync_each(*written: Path) -> None:
    for synced in written:
        descriptor = os.open(synced, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

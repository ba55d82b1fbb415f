"""The picture store: pictures by the hash of their bytes, on disk or in a bucket."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError

from falgate.core.errors import StoreFull, StoreUnavailable
from falgate.core.faults import words
from falgate.core.picture import media_type_of
from falgate.pictures.bucket import Bucket
from falgate.pictures.disk import Disk

# Archives of the ledger share the store: nothing outside this prefix is ever served.
PREFIX = "pictures/"
_CHECK = "check"
FREE_BYTES_MIN = 64 * 1024 * 1024
_ALIVE = b"falgate can write here\n"

T = TypeVar("T")


class Files(Protocol):
    """Files by their paths. Not there: `FileNotFoundError`; another error: nobody knows."""

    async def size(self, path: str) -> int:
        """Its length in bytes."""

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Its bytes from `start` up to before `end`."""

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Have a path show all of these bytes, or what it showed before; durable when done."""

    async def delete(self, path: str) -> None:
        """Remove it."""

    async def free_bytes(self) -> int | None:
        """Room that is left; None where there is no such limit."""


class PictureStore:
    """Pictures by name, which is their SHA-256 and an extension; any other name is not there.

    A write is atomic: a name shows all of its bytes or nothing. When `put` returns it is durable.
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
        try:
            on_disk = urlsplit(url).scheme == "file"
            self._files: Files = Disk(_directory(url)) if on_disk else Bucket(url)
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
        return await self._found(self._files.size(f"{PREFIX}{name}"))

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Its bytes from `start` up to before `end`, or None when it is not there.

        `start` lies inside the picture, and before `end`.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        if media_type_of(name) is None:
            return None
        return await self._found(self._files.read(f"{PREFIX}{name}", start, end))

    async def delete(self, name: str) -> None:
        """Remove a picture; one that is not there is no trouble.

        Raises:
            StoreUnavailable: It may be there still.
        """
        assert media_type_of(name) is not None, "nothing else is removed"
        await self._found(self._files.delete(f"{PREFIX}{name}"))

    async def free_bytes(self) -> int | None:
        """Room on the disk that holds it; None where there is no such limit.

        Raises:
            StoreUnavailable: The disk is gone.
        """
        try:
            return await self._files.free_bytes()
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
        return await self._found(self._files.read(path))

    async def reach(self) -> None:
        """See that the store can be asked, which changes nothing there.

        Raises:
            StoreUnavailable: It cannot.
        """
        await self._found(self._files.size(_CHECK))

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
        if await self._found(self._files.read(_CHECK)) != _ALIVE:
            raise StoreUnavailable

    async def _write(self, path: str, data: bytes, content_type: str) -> None:
        try:
            await self._files.write(path, data, content_type)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        self._troubled(words(error, paths=True))
        return StoreUnavailable()

    async def _found(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error


def _directory(url: str) -> Path:
    """The directory of a file URL."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or parts.query or parts.fragment or not path.is_absolute():
        raise ValueError("a file URL has three slashes and an absolute path")
    return path

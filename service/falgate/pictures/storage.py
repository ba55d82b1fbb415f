"""The picture store: pictures named by the SHA-256 of their bytes, on disk or in a bucket."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from falgate.core.errors import StoreFull, StoreUnavailable
from falgate.core.faults import words
from falgate.core.picture import media_type_of
from falgate.pictures.disk import Disk

# Ledger archives, input pictures and thumbnails share the store. Only files below this prefix are
# ever served to apps and their users.
PREFIX = "pictures/"
THUMBNAIL_SIDES_PX = (256, 512)
_CHECK = "check"
FREE_BYTES_MIN = 64 * 1024 * 1024
_ALIVE = b"falgate can write here\n"

T = TypeVar("T")


class Files(Protocol):
    """Files by path. A missing file is `FileNotFoundError`; any other error means "unknown".

    Attributes:
        errors: The classes of all errors.
    """

    errors: tuple[type[Exception], ...]

    async def size(self, path: str) -> int:
        """Return the length of a file, bytes."""

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes of a file from `start` up to but excluding `end`."""

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Replace a file atomically; it is durable on return."""

    async def delete(self, path: str) -> None:
        """Delete a file."""

    async def free_bytes(self) -> int | None:
        """Return the free space, bytes; None where there is no such limit."""


class PictureStore:
    """Pictures by name, which is their SHA-256 plus an extension; no other name is ever found.

    Writes are atomic: a reader sees the whole file or nothing. A picture is durable once `put`
    returns. A method that cannot tell the state of a file raises `StoreUnavailable`.
    """

    def __init__(self, url: str, troubled: Callable[[str], None] = lambda _: None) -> None:
        """Open the store, creating its directory if it is one.

        Args:
            url: Location of the store.
            troubled: Called with the error message when the store cannot be reached.

        Raises:
            ValueError: No store can be opened at this URL.
        """
        self._troubled = troubled
        try:
            self._files = _opened(url)
        except Exception as error:
            # obstore's messages run over many lines; the first one has the reason.
            why = next(iter(str(error).splitlines()), type(error).__name__)
            raise ValueError(
                f"The picture store's URL does not work: {why}. Use file:///directory, "
                "s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
            ) from error

    async def put(self, data: bytes, name: str) -> None:
        """Store a picture; a repeat changes nothing.

        Raises:
            StoreUnavailable: The write failed; nothing of it is visible.
        """
        media_type = media_type_of(name)
        assert media_type is not None, "a picture's name is made from its hash"
        await self._write(f"{PREFIX}{name}", data, media_type)

    async def size(self, name: str) -> int | None:
        """Return the length of a picture, bytes, or None if it is not stored.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        if media_type_of(name) is None:
            return None
        return await self._found(self._files.size(f"{PREFIX}{name}"))

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes from `start` up to but excluding `end`, or None if not stored.

        `start` must lie inside the picture and before `end`.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        if media_type_of(name) is None:
            return None
        return await self._found(self._files.read(f"{PREFIX}{name}", start, end))

    async def delete(self, name: str) -> None:
        """Delete a picture; a missing one is ignored.

        Raises:
            StoreUnavailable: The picture may still exist.
        """
        assert media_type_of(name) is not None, "only pictures are deleted"
        await self._found(self._files.delete(f"{PREFIX}{name}"))

    async def delete_thumbnails(self, name: str) -> None:
        """Delete a picture's thumbnails; missing ones are ignored.

        Raises:
            StoreUnavailable: Some may still exist.
        """
        paths = [thumbnail_path(name, side_px) for side_px in THUMBNAIL_SIDES_PX]
        await asyncio.gather(*map(self.delete_file, paths))

    async def free_bytes(self) -> int | None:
        """Return the free space of the disk, bytes; None where there is no such limit.

        Raises:
            StoreUnavailable: The disk is gone.
        """
        try:
            return await self._files.free_bytes()
        except OSError as error:
            raise self._unavailable(error) from error

    async def put_file(self, path: str, data: bytes, content_type: str) -> None:
        """Store a file outside the served prefix: an archive, input or thumbnail; idempotent.

        Raises:
            StoreUnavailable: The write failed; nothing of it is visible.
        """
        assert not path.startswith(PREFIX)
        await self._write(path, data, content_type)

    async def read_file(self, path: str) -> bytes | None:
        """Return the bytes of a file stored by `put_file`, or None if it does not exist.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        return await self._found(self._files.read(path))

    async def has_file(self, path: str) -> bool:
        """Return whether a file was stored by `put_file`.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        return await self._found(self._files.size(path)) is not None

    async def delete_file(self, path: str) -> None:
        """Delete a file stored by `put_file`; a missing one is ignored.

        Raises:
            StoreUnavailable: The file may still exist.
        """
        assert not path.startswith(PREFIX)
        await self._found(self._files.delete(path))

    async def reach(self) -> None:
        """Check that the store answers, without writing to it.

        Raises:
            StoreUnavailable: It does not.
        """
        await self._found(self._files.size(_CHECK))

    async def check(self) -> None:
        """Check that the store accepts writes: write and read back a small file.

        Raises:
            StoreUnavailable: The write or the read failed.
            StoreFull: The disk has less than `FREE_BYTES_MIN` bytes free.
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
        except self._files.errors as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        self._troubled(words(error, paths=True))
        return StoreUnavailable()

    async def _found(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except FileNotFoundError:
            return None
        except self._files.errors as error:
            raise self._unavailable(error) from error


def thumbnail_path(name: str, side_px: int) -> str:
    """Return the path of a picture's thumbnail of this size, which no picture has."""
    assert media_type_of(name) is not None, "only pictures have thumbnails"
    return f"thumbnails/{name}.{side_px}.webp"


def _opened(url: str) -> Files:
    if urlsplit(url).scheme == "file":
        return Disk(_directory(url))
    from falgate.pictures.bucket import Bucket  # noqa: PLC0415 - most stores are on a disk

    return Bucket(url)


def _directory(url: str) -> Path:
    """Return the directory of a file URL."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or parts.query or parts.fragment or not path.is_absolute():
        raise ValueError("a file URL must have the form file:///absolute/path")
    return path

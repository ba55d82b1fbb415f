"""Files below one directory of a disk: atomic, durable, and no link below it is ever followed.

The directory itself may be reached by links, because an operator names it. What lies below is made
here and by nobody else: a link there would have files read, or written, that are none of the store.
So every step down is an `openat` of one name with O_NOFOLLOW, and only plain files are opened.
"""

import asyncio
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

_THREADS = 16
"""Of its own: a disk that is slow must not hold up what else the process does in threads."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK the opening of a pipe would wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_STAGED = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OURS, _OURS_TO_ENTER = stat.S_IRUSR | stat.S_IWUSR, stat.S_IRWXU

T = TypeVar("T")


class Disk:
    """Files by paths of plain names, "folder/name".

    What is not there, and what is there but is no plain file, is `FileNotFoundError`; every other
    `OSError` means that nobody knows, such as when the root is gone.
    """

    def __init__(self, root: Path) -> None:
        """Keep them below `root`, which is made when it is missing."""
        root.mkdir(mode=_OURS_TO_ENTER, parents=True, exist_ok=True)
        self._root = root
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="disk")

    async def size(self, path: str) -> int:
        """Its length in bytes."""

        def look() -> int:
            with self._folder(path) as (folders, name):
                return _plain(folders[-1], name).st_size

        return await self._do(look)

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Its bytes from `start` up to before `end`."""

        def read() -> bytes:
            with self._opened(path) as file, os.fdopen(file, "rb", closefd=False) as content:
                content.seek(start)
                return content.read(-1 if end is None else end - start)

        return await self._do(read)

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Have a path show all of these bytes, or what it showed before; durable when done."""
        del content_type  # a file has none
        await self._do(lambda: self._write(path, data))

    async def delete(self, path: str) -> None:
        """Remove it, a link that has its name likewise."""

        def remove() -> None:
            with self._folder(path) as (folders, name):
                os.unlink(name, dir_fd=folders[-1])
                os.fsync(folders[-1])

        await self._do(remove)

    async def free_bytes(self) -> int | None:
        """Room that is left."""
        return await self._do(lambda: shutil.disk_usage(self._root).free)

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextmanager
    def _folder(self, path: str, *, make: bool = False) -> Iterator[tuple[list[int], str]]:
        """The folders on the way to a path, the root first, opened; and its last name."""
        *above, name = path.split("/")
        folders: list[int] = []
        try:
            try:
                folders.append(os.open(self._root, _FOLDER))
            except FileNotFoundError as error:
                # Without its root a store has lost its disk, not every single picture.
                raise NotADirectoryError("the directory of the store is gone") from error
            for each in above:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(each, _OURS_TO_ENTER, dir_fd=folders[-1])
                        os.fsync(folders[-1])
                folders.append(os.open(each, _FOLDER | os.O_NOFOLLOW, dir_fd=folders[-1]))
            yield folders, name
        finally:
            for each_open in folders:
                os.close(each_open)

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        with self._folder(path) as (folders, name):
            _plain(folders[-1], name)
            file = os.open(name, _FILE, dir_fd=folders[-1])
        try:
            yield file
        finally:
            os.close(file)

    def _write(self, path: str, data: bytes) -> None:
        with self._folder(path, make=True) as (folders, name):
            at = folders[-1]
            staged = f"{name}.{secrets.token_hex(8)}.part"
            file = os.open(staged, _STAGED, _OURS, dir_fd=at)
            try:
                with os.fdopen(file, "wb") as content:
                    content.write(data)
                    content.flush()
                    os.fsync(file)
                os.replace(staged, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(staged, dir_fd=at)
                raise
            os.fsync(at)


def _plain(folder: int, name: str) -> os.stat_result:
    """What is known of a plain file; anything else of that name is not there."""
    known = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(known.st_mode):
        raise FileNotFoundError(name)
    return known

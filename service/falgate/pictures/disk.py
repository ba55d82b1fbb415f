"""Files below one directory of a disk: atomic and durable writes, no symbolic link followed.

The operator names the directory and may reach it through links. Everything below it belongs to the
store alone, so a link there could only be an attempt to read or write files elsewhere. Therefore
every path component is opened with `openat` and O_NOFOLLOW, and only regular files are read.
obstore's store for local files is not used: it does not fsync, and it follows links.
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

from falgate.private import make_folder

_THREADS = 16
"""Threads of its own, so that a slow disk does not block the process's other threaded work."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_STAGED = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OURS, _OURS_TO_ENTER = stat.S_IRUSR | stat.S_IWUSR, stat.S_IRWXU

T = TypeVar("T")


class Disk:
    """Files by paths of plain names, "folder/name".

    A missing file, or something other than a regular file, is `FileNotFoundError`. Any other
    `OSError` means that the state is unknown, for example because the root directory is gone.

    Attributes:
        errors: The classes of all errors.
    """

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, root: Path) -> None:
        """Store files below `root`, creating it if it is missing."""
        make_folder(root)
        self._root = root
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="disk")

    async def size(self, path: str) -> int:
        """Return the length of a file, bytes."""

        def look() -> int:
            with self._folder(path) as (folders, name):
                return _plain(folders[-1], name).st_size

        return await self._do(look)

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes of a file from `start` up to but excluding `end`."""

        def read() -> bytes:
            with self._opened(path) as file, os.fdopen(file, "rb", closefd=False) as content:
                content.seek(start)
                return content.read(-1 if end is None else end - start)

        return await self._do(read)

    async def write(self, path: str, data: bytes, content_type: str) -> None:
        """Replace a file atomically; it is durable on return."""
        del content_type  # a file has none
        await self._do(lambda: self._write(path, data))

    async def delete(self, path: str) -> None:
        """Delete a file, or a link of that name."""

        def remove() -> None:
            with self._folder(path) as (folders, name):
                os.unlink(name, dir_fd=folders[-1])
                os.fsync(folders[-1])

        await self._do(remove)

    async def free_bytes(self) -> int | None:
        """Return the free space, bytes."""
        return await self._do(lambda: shutil.disk_usage(self._root).free)

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextmanager
    def _folder(self, path: str, *, make: bool = False) -> Iterator[tuple[list[int], str]]:
        """Open the folders along a path, root first; yield them and the file's name."""
        *above, name = path.split("/")
        folders: list[int] = []
        try:
            try:
                folders.append(os.open(self._root, _FOLDER))
            except FileNotFoundError as error:
                # A missing root means a lost disk, not that every single picture is missing.
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
    """Return the status of a regular file; anything else counts as missing."""
    known = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(known.st_mode):
        raise FileNotFoundError(name)
    return known

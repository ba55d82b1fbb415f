"""Processes that end with the test that started them, and ports that nobody else takes."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from forking import Forked
from patience import PATIENCE_S

P = TypeVar("P", bound="subprocess.Popen[Any] | Forked")


@contextmanager
def ended(process: P) -> Iterator[P]:
    """A process that is not there after the block, whatever happens in it."""
    try:
        yield process
    finally:
        process.kill()  # Nothing, where it has been waited for.
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait(PATIENCE_S)


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port, kept from all but servers that reuse addresses, as ours do."""
    with socket.socket() as holder:
        # Bound and not listening: neither a connection nor another test is given it.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port

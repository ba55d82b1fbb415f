"""What a worker has from its parent, and tells it."""

import socket
from contextlib import suppress
from pathlib import Path

import msgspec

END = b"\0"
"""Ends what a worker says when it is ready."""
HERE = b"\6"
"""What a worker says when it is asked whether it is there."""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has from its parent.

    Attributes:
        number: Its number, from 0; its replacement has the same.
        workers: How many there are.
        joins: Whether others serve already.
        parent: Signals arrive here, as bytes; it is closed when the parent dies.
        folder: Private to the workers and their parent.
    """

    number: int
    workers: int
    joins: bool
    parent: socket.socket
    folder: Path

    def ready(self, said: str) -> None:
        """Tell the parent that requests are taken, and what it should say of that."""
        self.parent.setblocking(True)
        # If the parent is gone, this worker is about to notice.
        with suppress(ConnectionError):
            self.parent.sendall(said.encode() + END)
        self.parent.setblocking(False)

    def here(self) -> None:
        """Tell the parent that the event loop runs."""
        with suppress(BlockingIOError, ConnectionError):
            self.parent.send(HERE)

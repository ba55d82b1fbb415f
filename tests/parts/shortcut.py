"""A shortcut of the server for two paths of an application that says what it was asked."""

import asyncio
from collections import Counter
from typing import Any

from falgate.http.server import Request, Whole

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n"


class HitShortcut:
    """A shortcut that answers what `echo` would: /hit at once, /found after a look.

    Attributes:
        answered: How often it did at once, by how it knew the request.
    """

    body_bytes_max = 100

    def __init__(self) -> None:
        self.answered = Counter[str]()
        self._known: dict[bytes, Whole] = {}

    def connected(self, peer: str, *, secure: bool) -> bytes:
        """TLS or not."""
        return f"{peer} {secure}".encode()

    def recall(self, data: bytes, via: bytes) -> Whole | None:
        """What was answered to the same bytes."""
        found = self._known.get(via + data)
        if found is not None:
            self.answered["recalled"] += 1
        return found

    def consider(self, request: Request, via: bytes) -> bytes | None:  # noqa: ARG002 - the interface's
        """The path."""
        return request.head.path if request.head.path in {b"/hit", b"/found"} else None

    def answer(self, candidate: bytes, body: bytes) -> Whole | None:  # noqa: ARG002 - the interface's
        """What `echo` says to it."""
        if candidate == b"/found":
            return None
        self.answered["parsed"] += 1
        return _OK % 7, b"created"

    def remember(self, candidate: bytes, data: bytes, via: bytes) -> None:  # noqa: ARG002 - the interface's
        """For `recall`."""
        self._known[via + data] = _OK % 7, b"created"

    async def find(self, candidate: bytes, body: bytes, scope: Any) -> Whole | None:  # noqa: ARG002 - the interface's
        """Bodies with a "?" are for the application."""
        await asyncio.sleep(0)
        return None if b"?" in body else (_OK % 5, b"found")

"""What may answer requests before the application, and one connection's dealings with it."""

from typing import Any, Protocol

from falgate.http.server.exchange import Find, Message, Whole
from falgate.http.server.parser import SLICE_BYTES, Request

OFFERED_S = 1.0
"""How long the body of an offered request may take; then the application waits for it, which has a
deadline and an error message of its own."""


class Shortcut(Protocol):
    """Answers some requests at once. Its answers are what the application would answer.

    It is offered only requests that are alone on a connection that stays open.
    """

    body_bytes_max: int
    """Longer bodies are for the application."""

    def connected(self, peer: str, *, secure: bool) -> bytes:
        """Return what of a connection may change an answer, in a few bytes."""

    def recall(self, data: bytes, via: bytes) -> Whole | None:
        """Return the response to a request that `remember` was given with the same bytes.

        Args:
            data: What was received.
            via: From `connected`, as in all methods.
        """

    def consider(self, request: Request, via: bytes) -> Any | None:
        """Return what `answer` needs to know of a request's head; None if it is no candidate."""

    def answer(self, candidate: Any, body: bytes) -> Whole | None:
        """Return the response to a complete request, if it is known at once; must not block."""

    def remember(self, candidate: Any, data: bytes, via: bytes) -> None:
        """Note the bytes of a whole request that was answered."""

    async def find(self, candidate: Any, body: bytes, scope: Message) -> Whole | None:
        """Return the response that `answer` did not know; None: ask the application."""


class Offers:
    """What one connection offers to the shortcut: one request at a time.

    Attributes:
        request: The request that is offered now; None if there is none.
        body: The pieces of its body so far.
    """

    # A request whose bytes came in one read, and were parsed and answered, is remembered by these
    # bytes. When the same bytes come again between two requests, they are the same request: how
    # they are parsed depends on nothing else. So they need not be parsed again.

    __slots__ = (
        "_answered", "_candidate", "_last", "_received", "_room", "_shortcut", "_via", "body",
        "request",
    )  # fmt: skip

    def __init__(self, shortcut: Shortcut, peer: str, *, secure: bool) -> None:
        self.request: Request | None = None
        self.body: list[bytes] = []
        self._shortcut = shortcut
        self._via = shortcut.connected(peer, secure=secure)
        self._candidate: Any = None
        self._last: Any = None
        self._room = 0
        self._received = self._answered = 0

    def recall(self, data: bytes) -> Whole | None:
        """Return the response, if these bytes are one whole request that was answered before."""
        self._received = self._answered = 0
        if len(data) > SLICE_BYTES:
            return None
        return self._shortcut.recall(data, self._via)

    def remember(self, data: bytes | None) -> None:
        """End what `recall` began: remember these bytes, if they were one request, and no more."""
        if data and self._received == self._answered == 1 and len(data) <= SLICE_BYTES:
            self._shortcut.remember(self._last, data, self._via)
        self._last = None

    def take(self, request: Request, *, alone: bool) -> bool:
        """Offer a request; return False if it is for the application.

        Args:
            request: It.
            alone: Whether its response may follow at once.
        """
        self._received += 1
        if not alone or not request.keep_alive or request.head.expects_continue:
            return False
        candidate = self._shortcut.consider(request, self._via)
        if candidate is None:
            return False
        self.request, self._candidate = request, candidate
        self.body, self._room = [], self._shortcut.body_bytes_max
        return True

    def add(self, data: bytes) -> bool:
        """Add a piece of the body; return whether it is still short enough."""
        self.body.append(data)
        self._room -= len(data)
        return self._room >= 0

    def answer(self) -> Whole | None:
        """Return the response to the request, which is complete, if it is known at once."""
        found = self._shortcut.answer(self._candidate, b"".join(self.body))
        if found is not None:
            self._answered += 1
            self._last = self._candidate
            self.release()
        return found

    def release(self) -> None:
        """Keep nothing of the request any more."""
        self.request = self._candidate = None
        self.body = []

    def find(self) -> Find:
        """Return what looks for the response of the request, which is complete."""
        candidate, body = self._candidate, b"".join(self.body)
        return lambda scope: self._shortcut.find(candidate, body, scope)

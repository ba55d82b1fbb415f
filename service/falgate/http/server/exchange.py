"""One request and its response, as an ASGI application sees them (ASGI 3.0, HTTP spec 2.3)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from falgate.http.server.framing import Field
from falgate.http.server.parser import Request
from falgate.http.server.scope import scope_of
from falgate.http.server.status import STATUS_LINES

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]

Whole = tuple[bytes, bytes]
"""A complete response: its head from the status line on, without the Date header and the empty line
at its end, and its body. The head has a Content-Length and no Connection header."""

Find = Callable[[Message], Awaitable[Whole | None]]
"""Returns the response to a request, given its scope; None if only the application has it."""

_LOG = logging.getLogger(__name__)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FAILED = b'{"detail":"Internal Server Error"}'
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_BODILESS = frozenset({204, 304})
_JOINED_BYTES_MAX = 64 * 1024
"""A body up to this size is sent in one write with its head; a larger one is not copied."""

_PIECE_BYTES_MAX = 256 * 1024


class Line(Protocol):
    """The connection of a request."""

    def write(self, *parts: bytes | memoryview) -> None:
        """Append bytes to the output."""

    async def drain(self) -> None:
        """Wait until the client has read enough of the output."""

    def taken(self) -> None:
        """The application took the received part of the body: there is room for more."""

    def finished(self, exchange: "Exchange") -> None:
        """The response is complete."""

    def cut(self, *, reset: bool) -> None:
        """Close the connection now: an incomplete response must not look complete."""

    @property
    def date(self) -> bytes:
        """The current Date header."""

    @property
    def ending(self) -> bool:
        """Whether the connection will serve no further request."""


class Exchange:
    """One request and its response.

    Attributes:
        scope: The ASGI scope.
        keep_alive: Whether the connection may serve another request afterwards.
        expects_continue: Whether the client waits for 100 Continue.
        large: Whether the rest of the body may be too long to read and drop.
        buffered: Received bytes of the body that the application has not taken yet.
        whole: Whether the request is complete.
        left: Whether the client has stopped sending; it may still read.
        muted: Whether output is discarded because the client is gone.
        begun: Whether the response's head has been sent.
        done: Whether the response is complete.
    """

    __slots__ = (
        "_bare", "_body", "_chunked", "_event", "_head", "_line", "_missing", "_told", "begun",
        "buffered", "done", "expects_continue", "keep_alive", "large", "left", "muted", "scope",
        "whole",
    )  # fmt: skip

    def __init__(
        self,
        line: Line,
        scope: Message,
        *,
        keep_alive: bool,
        expects_continue: bool,
        large: bool,
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.expects_continue = expects_continue
        self.large = large
        self.buffered = 0
        self.whole = self.left = self.muted = self.begun = self.done = False
        self._line = line
        self._body: list[bytes] = []
        self._bare = self._told = self._chunked = False
        self._event: asyncio.Event | None = None
        self._head = b""
        self._missing: int | None = None  # remaining bytes of the response's declared length

    # --- From the connection ----------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Add a received piece of the body."""
        self._body.append(data)
        self.buffered += len(data)
        self.wake()

    def wake(self) -> None:
        """Wake `receive` after a change."""
        if self._event is not None:
            self._event.set()

    def leave(self, *, muted: bool = False) -> None:
        """Note that the client stopped sending, or with `muted`, that it is gone."""
        self.left = True
        self.muted = self.muted or muted
        self.wake()

    async def run(self, app: App, find: Find | None = None) -> None:
        """Run the application, unless `find` has the response; answer 500 or cut if it fails."""
        try:
            found = await self._found(find) if find else None
            if found:
                await self._reply(*found)
            else:
                await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # by shutdown, which cuts the connection
                raise
            _LOG.exception("The application awaited something that was cancelled")
        except Exception:  # noqa: BLE001 - whatever failed, the client gets a response
            _LOG.exception("The application failed")
        if self.done or self.muted:
            return
        if self.begun:
            self._line.cut(reset=True)
            return
        self._head, self._missing, self._chunked = b"", None, False
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_FAILED)),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": _FAILED})

    async def _found(self, find: Find) -> Whole | None:
        try:
            return await find(self.scope)
        except Exception:  # noqa: BLE001 - the application can answer, whatever failed
            _LOG.exception("The shortcut failed")
            return None

    async def _reply(self, head: bytes, body: bytes) -> None:
        """Send a complete response; see `Whole`."""
        self.keep_alive = not self._line.ending
        ends = b"" if self.keep_alive else b"connection: close\r\n"
        self._head = b"".join((head, ends, self._line.date, b"\r\n\r\n"))
        await self.send({"type": "http.response.body", "body": body})

    # --- For the application ----------------------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next piece of the body, or a disconnect."""
        if self.expects_continue and not self.begun and not self.muted:
            self._line.write(_CONTINUE)
        self.expects_continue = False
        while True:
            if not self._told and (self._body or self.whole):
                body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body.clear()
                self.buffered = 0
                self._told = self.whole
                self._line.taken()
                return {"type": "http.request", "body": body, "more_body": not self._told}
            if self.left or self.done:
                return {"type": "http.disconnect"}
            self._event = self._event or asyncio.Event()
            self._event.clear()
            await self._event.wait()

    async def send(self, message: Message) -> None:
        """Send the head or a piece of the body; waits while the client is slow to read.

        The head is sent with the first piece, in one packet if possible.

        Raises:
            RuntimeError: The application violated ASGI or HTTP.
        """
        if self.muted:
            return
        if message["type"] == "http.response.start" and not self._head:
            self._start(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body" and self._head and not self.done:
            body, more = message.get("body", b""), message.get("more_body", False)
            self._check_length(len(body), more=more)
            # In pieces: a TLS transport does not tell how much it buffers, so give it little.
            rest = memoryview(body)
            while len(rest) > _PIECE_BYTES_MAX and not self._bare:
                self._send(rest[:_PIECE_BYTES_MAX], more=True)
                rest = rest[_PIECE_BYTES_MAX:]
                await self._line.drain()
            self._send(rest, more=more)
            if not self.done:
                await self._line.drain()
        else:
            raise RuntimeError(f"{message['type']!r} was sent out of order")

    def _start(self, status: int, headers: list[Field]) -> None:
        method, version = self.scope["method"], self.scope["http_version"]
        self._bare = method == "HEAD" or status in _BODILESS
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status]
        for name, value in headers:
            lower = name.lower()
            if lower == b"content-length":
                self._missing = int(value)
            elif lower == b"transfer-encoding":
                continue  # the server decides about framing
            elif lower == b"connection":
                self.keep_alive = self.keep_alive and b"close" not in value.lower()
                continue
            lines.append(lower + b": " + value)
        if self._missing is None and not self._bare:
            self._chunked = version != "1.0"
            self.keep_alive = self.keep_alive and self._chunked
        # A client that waits for 100 Continue may or may not send its body now, so the next bytes
        # could be either the body or a new request.
        unread = self.expects_continue or (self.large and not self.whole)
        self.keep_alive = self.keep_alive and not (unread or self._line.ending)
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        if not self.keep_alive:
            lines.append(b"connection: close")
        elif version == "1.0":
            lines.append(b"connection: keep-alive")
        lines += (self._line.date, b"", b"")
        head = b"\r\n".join(lines)
        ends = len(lines) - 1
        if (
            head.count(b"\n") != ends
            or head.count(b"\r") != ends
            or len(head.translate(None, _CONTROLS)) != len(head)
        ):  # RFC 9110 section 5.5: a line end in a value would start another header.
            raise RuntimeError("A response header contains a control character")
        self._head = head

    def _check_length(self, size: int, *, more: bool) -> None:
        if self._bare or self._missing is None:
            return
        self._missing -= size
        if self._missing < 0 or (self._missing and not more):
            raise RuntimeError("The response's length differs from its Content-Length")

    def _send(self, body: bytes | memoryview, *, more: bool) -> None:
        if self._bare:
            body = b""
        parts: tuple[bytes | memoryview, ...] = (body,) if body else ()
        if self._chunked:
            if body:
                parts = (b"%x\r\n" % len(body), body, b"\r\n")
            if not more:
                parts = (*parts, b"0\r\n\r\n")
        if not self.begun:
            self.begun = True
            parts = (self._head, *parts)
        if len(parts) > 1 and len(body) <= _JOINED_BYTES_MAX:
            parts = (b"".join(parts),)
        self._line.write(*parts)
        if not more:
            self.done = True
            self._body.clear()
            self.buffered = 0
            self.wake()
            self._line.finished(self)


def exchange_of(
    line: Line, request: Request, ends: Mapping[str, Any], unread_bytes_max: int
) -> Exchange:
    """Return the exchange of a request.

    Args:
        line: Its connection.
        request: The request.
        ends: From `ends_of`.
        unread_bytes_max: How much of a body is read and dropped after an early response.
    """
    return Exchange(
        line,
        scope_of(request, ends),
        keep_alive=request.keep_alive,
        expects_continue=request.head.expects_continue,
        large=(request.head.length or 0) > unread_bytes_max,
    )

"""A connection that does not wait for ever: what uvicorn leaves to a proxy in front."""

import asyncio
import uuid
from typing import Any, Literal

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_BYTES_MAX = 64 * 1024


class Impatient(HttpToolsProtocol):
    """uvicorn's connection to a client that has to finish what it begins.

    uvicorn itself only ends connections that are silent between two requests: a byte now and then
    would keep one for ever, before its first request or after an answer that did not wait for the
    request's body.

    Attributes:
        head_timeout_s: How long a request's head may take.
        body_timeout_s: How long its body may take that was answered unread.
        part: Of a request, that is being received.
    """

    head_timeout_s: float
    body_timeout_s: float
    part: Literal["none", "head", "body"] = "none"
    head_bytes = 0
    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._allow(self.head_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Take what came, in bounds."""
        super().data_received(data)
        self.head_bytes = self.head_bytes + len(data) if self.part == "head" else 0
        if self.head_bytes > _HEAD_BYTES_MAX:
            self.send_400_response("The request's head is too large.")
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.timeout_keep_alive_task is None:
            # uvicorn's own timer was ended by these bytes, and they may have begun nothing.
            self._allow(self.head_timeout_s)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP in the form of every other refusal."""
        body = msgspec.json.encode({"detail": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-fal-request-id: {uuid.uuid4()}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        """Expect its head."""
        super().on_message_begin()
        self.part = "head"
        self._allow(self.head_timeout_s)

    def on_headers_complete(self) -> None:
        """Leave its body to whoever reads it."""
        self.part = "body"
        self._be_content()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing."""
        super().on_message_complete()
        self.part = "none"
        self._be_content()

    def on_response_complete(self) -> None:
        """Expect the rest of a request that was answered before it was whole."""
        super().on_response_complete()
        if self.part == "body" and self.cycle.response_complete:
            self._allow(self.body_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._be_content()
        super().connection_lost(exc)

    def _allow(self, timeout_s: float) -> None:
        if self.timer is None:
            self.timer = self.loop.call_later(timeout_s, self.transport.abort)

    def _be_content(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def impatient(head_timeout_s: float, body_timeout_s: float) -> type[Impatient]:
    """uvicorn's `http=` protocol class, with these time-outs."""
    timeouts = {"head_timeout_s": head_timeout_s, "body_timeout_s": body_timeout_s}
    return type("ConfiguredImpatient", (Impatient,), timeouts)

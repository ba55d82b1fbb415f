"""The byte stream of one connection: sending, read and write deadlines, and closing.

A client has two deadlines: `deadline` for what it has to send, and `unsent` for what it has to
read. Both are plain numbers that are checked twice a second for all connections together, which
costs less than timers.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from functools import partial
from math import inf
from typing import cast

from falgate.http.server.limits import Limits

BUFFERED_BYTES_MAX = 64 * 1024
"""Maximum buffered bytes of a body or a response before its source is paused."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire(asyncio.Protocol):
    """The byte level of a connection.

    Attributes:
        deadline: When the client must have sent more, on the loop's clock; `inf` if it need not.
        unsent: When it must have read more of the waiting output; 0 if none waits.
    """

    __slots__ = (
        "_body_recent", "_closing", "_drained", "_dropped", "_eof", "_limits", "_linger_until",
        "_now", "_once_taken", "_paused", "_taken_before", "_transport", "_written", "deadline",
        "unsent",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.deadline = inf
        self.unsent = 0.0
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._transport: asyncio.Transport | None = None
        self._written = self._taken_before = self._dropped = self._body_recent = 0
        self._linger_until = 0.0
        self._paused = self._eof = self._closing = False
        self._drained: asyncio.Future[None] | None = None
        self._once_taken: Callable[[], None] | None = None

    # --- The socket -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start on a new transport."""
        self._transport = cast("asyncio.Transport", transport)
        # With a limit of 0, a TLS transport would pause at once and for ever.
        self._transport.set_write_buffer_limits(high=1)

    def pause_writing(self) -> None:
        """Start the write deadline: output is waiting."""
        self.unsent = self._now() + self._limits.write_timeout_s
        self._taken_before = self._taken_by_client()

    def resume_writing(self) -> None:
        """Clear the write deadline: all output has been sent."""
        self.unsent = 0.0
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None
        then, self._once_taken = self._once_taken, None
        if then is not None and self._transport is not None and not self._transport.is_closing():
            then()

    # --- Sending ----------------------------------------------------------------------------------

    def write(self, *parts: bytes | memoryview) -> None:
        """Append bytes to the output."""
        if self._transport is None or self._transport.is_closing():
            return
        for part in parts:
            self._written += len(part)
            self._transport.write(part)

    async def drain(self) -> None:
        """Wait until the client has read the output, if much of it is waiting."""
        if self._behind():
            if self._drained is None or self._drained.done():  # the last waiter was cancelled
                self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def reads_too_slowly(self, now: float) -> bool:
        """Return whether the client has missed its write deadline; if not, extend it."""
        if not self.unsent or self.unsent >= now:
            return False
        taken = self._taken_by_client()
        if taken - self._taken_before < self._limits.write_bytes_min:
            return True
        self.unsent, self._taken_before = now + self._limits.write_timeout_s, taken
        return False

    # --- Ending -----------------------------------------------------------------------------------

    def cut(self, *, reset: bool = False) -> None:
        """Close the connection now and drop unsent output.

        Args:
            reset: Send a reset, so that an incomplete response cannot pass for a complete one: an
                HTTP/1.0 client knows the end of a response only by that of the connection.
        """
        if self._transport is None:
            return
        if self.unsent or reset:
            # Without a reset, the kernel would hold the unsent bytes and the connection for
            # minutes.
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def _close(self) -> None:
        """Close the connection once all output is sent."""
        if self._transport is not None:
            self._transport.close()

    def _end(self, *, unread: bool) -> None:
        """Close the connection such that the last response arrives although the client still sends.

        Closing a socket with unread input sends a reset, which may overtake the response. So the
        server closes only its own side and keeps reading for a while (RFC 9112 section 9.6). TLS
        has no half-close, and some clients know the end of a response only by that of the
        connection: there it closes at once, unless input is known to be unread. All of this waits
        until the client has read the response, under the usual write deadline.
        """
        if self.unsent:
            self.deadline = inf
            self._once_taken = partial(self._end, unread=unread)
            if self._paused:
                self._pause(paused=False)
            return
        self._dropped = 0
        self._allow(self._limits.linger_s)
        self._linger_until = self._now() + self._limits.body_timeout_s
        half = self._transport is not None and self._transport.can_write_eof()
        if self._eof or self._transport is None or not (half or unread):
            # A TLS transport may still hold output, and waits for the client's close.
            self._allow(self._limits.write_timeout_s)
            self._close()
            return
        if self._paused:
            self._pause(paused=False)
        if half:
            self._transport.write_eof()

    def _drop(self, size: int) -> None:
        """Count dropped input: a little is allowed after the last request, more while closing."""
        self._dropped += size
        if self._closing and self._dropped > self._limits.linger_bytes_max:
            self.cut()
        elif self._closing and not self.unsent:
            self.deadline = min(self._now() + self._limits.linger_s, self._linger_until)
        elif not self._closing and not self._paused and self._dropped > BUFFERED_BYTES_MAX:
            self._pause(paused=True)

    # --- Deadlines and buffers --------------------------------------------------------------------

    def _allow(self, seconds: float) -> None:
        self.deadline = self._now() + seconds

    def _expect_body(self) -> None:
        self._body_recent = 0
        self._allow(self._limits.body_timeout_s)

    def _received(self, size: int) -> None:
        """Count a piece of a body; each `body_bytes_min` of them have a deadline."""
        self._body_recent += size
        if self._body_recent >= self._limits.body_bytes_min:
            self._expect_body()

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    def _behind(self) -> bool:
        """Return whether so much output waits that no more should be produced."""
        return bool(self.unsent) and self._waiting_bytes() > BUFFERED_BYTES_MAX

    def _waiting_bytes(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _taken_by_client(self) -> int:
        return self._written - self._waiting_bytes()

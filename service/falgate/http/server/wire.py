"""The bytes of one connection: a client has to take them in time, and the last ones arrive.

A client has two clocks. `deadline` is for what it has to send, `unsent` for what it has to take.
Both are numbers that are looked at twice a second for all connections together, which costs less
than timers of their own.
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
"""A body's or an answer's bytes that wait, before its source is made to wait."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire(asyncio.Protocol):
    """A connection as far as it is bytes.

    Attributes:
        deadline: When the client has had its time to send, on the loop's clock; `inf` where it
            need not send anything.
        unsent: When it must have taken more of what waits for it; 0 where nothing waits.
    """

    def __init__(self, limits: Limits) -> None:
        self.deadline = inf
        self.unsent = 0.0
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._transport: asyncio.Transport | None = None
        self._written = self._taken_before = self._dropped = 0
        self._linger_until = 0.0
        self._paused = self._eof = self._closing = False
        self._drained: asyncio.Future[None] | None = None
        self._once_taken: Callable[[], None] | None = None

    # --- The socket -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is there."""
        self._transport = cast("asyncio.Transport", transport)
        # Over TLS a limit of 0 would pause at once and for ever.
        self._transport.set_write_buffer_limits(high=1)

    def pause_writing(self) -> None:
        """Something waits to be sent: from now on the client has to take it."""
        self.unsent = self._now() + self._limits.write_timeout_s
        self._taken_before = self._taken_by_client()

    def resume_writing(self) -> None:
        """Nothing waits any more."""
        self.unsent = 0.0
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None
        then, self._once_taken = self._once_taken, None
        if then is not None and self._transport is not None and not self._transport.is_closing():
            then()

    # --- Sending ----------------------------------------------------------------------------------

    def write(self, *parts: bytes | memoryview) -> None:
        """Send bytes, after all that was sent before."""
        if self._transport is None or self._transport.is_closing():
            return
        for part in parts:
            self._written += len(part)
            self._transport.write(part)

    async def drain(self) -> None:
        """Wait until the client has taken what was sent, where that is much."""
        if self._behind():
            if self._drained is None or self._drained.done():  # who waited may have been cancelled
                self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def reads_too_slowly(self, now: float) -> bool:
        """Whether the client has not taken in time what it had to; else it has as long again."""
        if not self.unsent or self.unsent >= now:
            return False
        taken = self._taken_by_client()
        if taken - self._taken_before < self._limits.write_bytes_min:
            return True
        self.unsent, self._taken_before = now + self._limits.write_timeout_s, taken
        return False

    # --- Ending -----------------------------------------------------------------------------------

    def cut(self, *, reset: bool = False) -> None:
        """End the connection now, and what waits to be sent with it.

        Args:
            reset: It must not look like the end of an answer, which a client of HTTP/1.0 knows
                by the end of the connection alone.
        """
        if self._transport is None:
            return
        if self.unsent or reset:
            # Else the kernel keeps what is unsent, and the client, for minutes.
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def _close(self) -> None:
        """End the connection once all is sent."""
        if self._transport is not None:
            self._transport.close()

    def _end(self, *, unread: bool) -> None:
        """End the connection so that the last answer arrives although the client still sends.

        A close with bytes unread is a reset, and a reset may overtake the answer: so the server
        ends only its own side, and reads on for a while: RFC 9112 section 9.6. TLS has no such
        half, and some clients know the end of an answer by that of the connection: so there it
        ends at once, unless bytes are known to be unread. All that only once the client has taken
        the answer, for which it has the time that it has for any other.
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
            # TLS has some of the answer left still, and waits for the client's own end.
            self._allow(self._limits.write_timeout_s)
            self._close()
            return
        if self._paused:
            self._pause(paused=False)
        if half:
            self._transport.write_eof()

    def _drop(self, size: int) -> None:
        """Count what is not looked at: a little behind the last request, more at the end."""
        self._dropped += size
        if self._closing and self._dropped > self._limits.linger_bytes_max:
            self.cut()
        elif self._closing and not self.unsent:
            self.deadline = min(self._now() + self._limits.linger_s, self._linger_until)
        elif not self._closing and not self._paused and self._dropped > BUFFERED_BYTES_MAX:
            self._pause(paused=True)

    # --- Time and room ----------------------------------------------------------------------------

    def _allow(self, seconds: float) -> None:
        self.deadline = self._now() + seconds

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    def _behind(self) -> bool:
        """Whether so much waits for the client that no more should be made for it."""
        return bool(self.unsent) and self._waiting_bytes() > BUFFERED_BYTES_MAX

    def _waiting_bytes(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _taken_by_client(self) -> int:
        return self._written - self._waiting_bytes()

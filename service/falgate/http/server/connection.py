"""One connection: feeds the parser, serves requests in order, and enforces deadlines.

Only `proceed` feeds the parser and decides whether to read more. So nothing is fed from inside a
parser callback, and nothing is fed twice.
"""

import asyncio
from collections import deque
from math import inf
from typing import Any

from falgate.http.server.connections import Connections
from falgate.http.server.exchange import Exchange, refusal, scope_of
from falgate.http.server.framing import Refused
from falgate.http.server.parser import SLICE_BYTES, Parser, Part, Request
from falgate.http.server.wire import BUFFERED_BYTES_MAX, Wire


class Connection(Wire):
    """One connection to a client.

    Attributes:
        peer: The client's address.
        fresh: Whether no byte has been received yet.
    """

    def __init__(self, shared: Connections, peer: str, *, secure: bool) -> None:
        super().__init__(shared.limits)
        self.peer = peer
        self.fresh = True
        self._shared = shared
        self._secure = secure
        self._parser = Parser(self, shared.limits)
        self._ends: dict[str, Any] = {}
        self._receiving: Exchange | None = None
        self._active: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._refusal: Refused | None = None
        self._held = bytearray()
        self._body_recent = 0
        self._feeding = False

    # --- The socket -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        server, client = map(transport.get_extra_info, ("sockname", "peername"))
        self._ends = {
            "server": server and (server[0], server[1]),
            "client": client and (self.peer, client[1]),
            "scheme": "https" if self._secure else "http",
        }
        self._allow(self._shared.first_s)
        self._shared.idle(self)

    def data_received(self, data: bytes) -> None:
        """Feed received bytes to the parser, or drop them once the connection is closing."""
        if self._parser.over or self._closing:
            self._drop(len(data))
            return
        if self._active is None and self._parser.part is Part.NONE and self._shared.busy(self):
            self.fresh = False
            self._allow(self._limits.head_timeout_s)
        self._held += data
        self.proceed()

    def eof_received(self) -> bool:
        """Handle the client's end of sending; it may still read. TLS has no such half-close."""
        self._eof = True
        if self._closing or self._active is None:
            self._close()
            return False
        for each in (self._active, *self._queue):
            each.leave()
        return not self._secure

    def connection_lost(self, _: Exception | None) -> None:
        """Clean up after the connection is gone."""
        self._closing = self._parser.over = True
        self._shared.lost(self)
        for each in (self._active, *self._queue):
            if each is not None:
                each.leave(muted=True)
        self._queue.clear()
        self._held.clear()
        self.resume_writing()

    # --- From the exchange ------------------------------------------------------------------------

    @property
    def date(self) -> bytes:
        """The current Date header."""
        return self._shared.date

    @property
    def ending(self) -> bool:
        """Whether the connection will serve no further request."""
        return self._shared.stopping

    def taken(self) -> None:
        """Resume reading after the application has taken the received part of a body."""
        if self._paused:
            self.proceed()

    def finished(self, exchange: Exchange) -> None:
        """Continue after a response: drop the rest of its request or serve the next."""
        if not exchange.keep_alive or (self._eof and exchange is self._receiving):
            self._close_gently()
        elif exchange is not self._receiving:
            self._next()
        else:
            self._dropped = 0
            self._allow(self._limits.body_timeout_s)
            self.proceed()

    # --- From Connections -------------------------------------------------------------------------

    def overdue(self, now: float) -> None:
        """Check the deadlines, and refuse or close the connection if one has passed."""
        if self.reads_too_slowly(now):
            self.cut()
            return
        if self.deadline >= now:
            return
        answered = self._receiving is not None and self._receiving.done
        if self._closing or self._parser.over or answered:
            self.cut()
        elif self._shared.busy(self):  # it was idle
            self._close_gently()
        else:
            self._refuse(Refused(408, "The request did not arrive in time."))

    def end_if_idle(self, fresh_s: float) -> None:
        """Close an idle connection; give a fresh one `fresh_s` for a request already on its way."""
        if self._active is not None or self._closing or self._transport is None:
            return
        if self.fresh:
            self.deadline = min(self.deadline, self._now() + fresh_s)
        elif self._parser.part is Part.NONE and not self._held:
            self._close()

    # --- Feeding ----------------------------------------------------------------------------------

    def proceed(self) -> None:
        """Feed buffered bytes to the parser while there is room, then pause or resume reading."""
        if self._feeding:
            return
        self._feeding = True
        parser = self._parser
        try:
            while self._held and not (parser.over or self._closing or self._full()):
                piece = bytes(self._held[:SLICE_BYTES])
                del self._held[:SLICE_BYTES]
                parser.feed(piece)
        except Refused as refused:
            self._refuse(refused)
        finally:
            self._feeding = False
        if parser.part is Part.HEAD and self._shared.busy(self):  # a head after a dropped body
            self._allow(self._limits.head_timeout_s)
        if parser.over or self._closing:
            self._dropped += len(self._held)
            self._held.clear()
        if self._closing or self._paused == self._full():
            return
        self._pause(paused=not self._paused)
        if self._paused:
            self.deadline = inf
        elif parser.part is Part.BODY:
            self._allow(self._limits.body_timeout_s)

    def _full(self) -> bool:
        return len(self._queue) >= self._limits.pipelined_max or (
            self._receiving is not None and self._receiving.buffered > BUFFERED_BYTES_MAX
        )

    # --- From the parser --------------------------------------------------------------------------

    def on_request(self, request: Request) -> None:
        """Serve a request now, or queue it behind the current one."""
        exchange = Exchange(
            self,
            scope_of(request, self._ends),
            keep_alive=request.keep_alive,
            expects_continue=request.head.expects_continue,
            large=(request.head.length or 0) > self._limits.unread_bytes_max,
        )
        self._shared.busy(self)
        self._receiving = exchange
        self._body_recent = 0
        self._allow(self._limits.body_timeout_s)
        if self._active is None:
            self._start(exchange)
        else:
            self._queue.append(exchange)

    def on_body(self, data: bytes) -> None:
        """Pass a piece of a body to its exchange; if already answered, drop it up to a limit."""
        exchange = self._receiving
        if exchange is None or exchange.done:
            self._dropped += len(data)
            if self._dropped > self._limits.unread_bytes_max:
                self._close_gently()
            return
        exchange.feed(data)
        self._body_recent += len(data)
        if self._body_recent >= self._limits.body_bytes_min:
            self._body_recent = 0
            self._allow(self._limits.body_timeout_s)

    def on_end(self) -> None:
        """Mark the request as complete."""
        exchange, self._receiving = self._receiving, None
        self.deadline = inf
        if exchange is None:
            return
        exchange.whole = True
        exchange.wake()
        self._parser.over = self._parser.over or not exchange.keep_alive
        if exchange.done:
            self._next()

    # --- In order ---------------------------------------------------------------------------------

    def _start(self, exchange: Exchange) -> None:
        self._active = exchange
        if self._eof:
            exchange.leave()
        self._shared.run(exchange)

    def _next(self) -> None:
        """Serve the next queued request, send a queued refusal, or wait for a request.

        A client that does not read its responses gets no further ones.
        """
        if self._behind():
            self._once_taken = self._next
            return
        self._active = None
        if self._queue:
            self._start(self._queue.popleft())
        elif self._refusal is not None:
            self._refuse(self._refusal)
        elif self._eof or self._shared.stopping:
            self._close_gently()
        elif self._parser.part is Part.NONE and not self._held:
            self._allow(self._limits.idle_timeout_s)
            self._shared.idle(self)
        elif self._parser.part is not Part.BODY:
            self._allow(self._limits.head_timeout_s)
        self.proceed()

    def _refuse(self, refused: Refused) -> None:
        """Send a refusal in its turn and close the connection."""
        self._parser.over = True
        broken, self._receiving = self._receiving, None
        if broken is not None and broken in self._queue:
            self._queue.remove(broken)
        elif broken is not None:
            self._active = None
            if broken.begun:
                # Its response is out already: close after a complete one, cut an incomplete one.
                self._close_gently() if broken.done else self.cut()
                return
            broken.leave(muted=True)
        if self._active is not None:
            self._refusal = refused
            self.deadline = inf
            return
        headers = self._shared.refused(refused.status)
        self.write(refusal(refused, self._shared.date, headers))
        self._dropped += 1  # The refused request was not read to its end.
        self._close_gently()

    def _close_gently(self) -> None:
        """Close the connection after the pending output has been sent."""
        if self._closing:
            return
        unread = self._dropped or self._held or self._queue or self._receiving is not None
        self._closing = self._parser.over = True
        self._shared.busy(self)
        self._held.clear()
        self._end(unread=bool(unread))

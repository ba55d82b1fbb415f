"""One connection: the parser is fed, requests are served in order, clients keep moving.

Only `proceed` feeds the parser and decides whether more is read, so nothing is ever fed from inside
a callback, nor twice.
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
        fresh: No byte has come over it yet.
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
        """Wait for a first request."""
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
        """Take what came."""
        if self._parser.over or self._closing:
            self._drop(len(data))
            return
        if self._active is None and self._parser.part is Part.NONE and self._shared.busy(self):
            self.fresh = False
            self._allow(self._limits.head_timeout_s)
        self._held += data
        self.proceed()

    def eof_received(self) -> bool:
        """The client sends no more, and may still listen. TLS knows no such thing."""
        self._eof = True
        if self._closing or self._active is None:
            self._close()
            return False
        for each in (self._active, *self._queue):
            each.leave()
        return not self._secure

    def connection_lost(self, _: Exception | None) -> None:
        """Nobody is there any more."""
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
        """The Date header of now."""
        return self._shared.date

    @property
    def ending(self) -> bool:
        """Whether no further request will be served over it."""
        return self._shared.stopping

    def taken(self) -> None:
        """The application took what was received of a body."""
        if self._paused:
            self.proceed()

    def finished(self, exchange: Exchange) -> None:
        """The answer is complete: the rest of the request is dropped, or the next one is served."""
        if not exchange.keep_alive or (self._eof and exchange is self._receiving):
            self._close_gently()
        elif exchange is not self._receiving:
            self._next()
        else:
            self._dropped = 0
            self._allow(self._limits.body_timeout_s)
            self.proceed()

    # --- From what all connections share ----------------------------------------------------------

    def overdue(self, now: float) -> None:
        """Look whether the client has had its time."""
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
            self._refuse(Refused(408, "The request did not come in time."))

    def end_if_idle(self, fresh_s: float) -> None:
        """Wait for no further request, but for what a fresh connection may have sent already."""
        if self._active is not None or self._closing or self._transport is None:
            return
        if self.fresh:
            self.deadline = min(self.deadline, self._now() + fresh_s)
        elif self._parser.part is Part.NONE and not self._held:
            self._close()

    # --- Feeding ----------------------------------------------------------------------------------

    def proceed(self) -> None:
        """Feed the parser what is there while there is room, and read on where there is some."""
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
        if parser.part is Part.HEAD and self._shared.busy(self):  # it came behind a dropped body
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
        """Serve a request, now or in its turn."""
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
        """Keep a piece of a body for its reader; of one that was answered drop it, in bounds."""
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
        """Tell the reader that its body is whole."""
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
        """Serve what has waited, refuse what came behind it, or wait for the next request.

        A client that does not take its answers gets no further ones.
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
        """Answer what is not served, in its turn, and end the connection with it."""
        self._parser.over = True
        broken, self._receiving = self._receiving, None
        if broken is not None and broken in self._queue:
            self._queue.remove(broken)
        elif broken is not None:
            self._active = None
            if broken.begun:
                # Its answer cannot be taken back: it is whole, or it ends in the middle.
                self._close_gently() if broken.done else self.cut()
                return
            broken.leave(muted=True)
        if self._active is not None:
            self._refusal = refused
            self.deadline = inf
            return
        headers = self._shared.refused(refused.status)
        self.write(refusal(refused, self._shared.date, headers))
        self._dropped += 1  # What was wrong was not read to its end.
        self._close_gently()

    def _close_gently(self) -> None:
        """End the connection behind what is under way to the client."""
        if self._closing:
            return
        unread = self._dropped or self._held or self._queue or self._receiving is not None
        self._closing = self._parser.over = True
        self._shared.busy(self)
        self._held.clear()
        self._end(unread=bool(unread))

"""One connection: serves requests in order, and enforces deadlines."""

import asyncio
from collections import deque
from collections.abc import Mapping
from math import inf
from typing import Any

from falgate.http.server.connections import Connections
from falgate.http.server.exchange import Exchange, Find, Whole, exchange_of
from falgate.http.server.feeding import Feeding
from falgate.http.server.framing import Refused
from falgate.http.server.parser import Parser, Part, Request
from falgate.http.server.scope import ends_of
from falgate.http.server.shortcut import OFFERED_S, Offers
from falgate.http.server.status import refusal
from falgate.http.server.wire import BUFFERED_BYTES_MAX

_LISTED_S = 1.0


class Connection(Feeding):
    """One connection to a client."""

    __slots__ = (
        "_active", "_ends", "_listed_s", "_offers", "_queue", "_receiving", "_refusal", "_secure",
    )  # fmt: skip

    def __init__(self, shared: Connections, peer: str, *, secure: bool) -> None:
        super().__init__(shared, peer)
        self._secure = secure
        self._parser = Parser(self, shared.limits)
        self._ends: Mapping[str, Any] = {}
        self._offers = Offers(shared.shortcut, peer, secure=secure) if shared.shortcut else None
        self._receiving: Exchange | None = None
        self._active: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._refusal: Refused | None = None
        self._listed_s = 0.0

    # --- The socket -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._ends = ends_of(transport, self.peer, secure=self._secure)
        self._allow(self._shared.first_s)
        self._shared.idle(self)

    def data_received(self, data: bytes) -> None:
        """Feed received bytes to the parser, or drop them once the connection is closing."""
        if self._parser.over or self._closing:
            self._drop(len(data))
            return
        between = self._active is None and self._parser.part is Part.NONE
        if between and self._offers and not self._held and self._may_shorten():
            if answer := self._offers.recall(data):
                self.fresh = False
                self._parser.spent = 0
                self._reply(answer)
                self._stay_idle()
                return
            self._feed(data, between=True)
            whole = self._parser.part is Part.NONE and not self._held
            self._offers.remember(data if whole else None)
            return
        self._feed(data, between=between)

    def eof_received(self) -> bool:
        """Handle the client's end of sending; it may still read. TLS has no such half-close."""
        self._eof = True
        self._withdraw()
        if self._closing or self._active is None:
            self._close()
            return False
        for each in (self._active, *self._queue):
            each.leave()
        return not self._secure

    def connection_lost(self, _: Exception | None) -> None:
        """Clean up after the connection is gone."""
        self._withdraw()
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
        if self.deadline >= now or self._withdraw():
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

    def _full(self) -> bool:
        return len(self._queue) >= self._limits.pipelined_max or (
            self._receiving is not None and self._receiving.buffered > BUFFERED_BYTES_MAX
        )

    # --- From the parser --------------------------------------------------------------------------

    def on_request(self, request: Request) -> None:
        """Offer a request to the shortcut, or serve it; it waits behind the current one."""
        self._shared.busy(self)
        if self._offers and self._offers.take(request, alone=self._may_shorten()):
            self._allow(OFFERED_S)
        else:
            self._take(request)

    def _take(self, request: Request, find: Find | None = None) -> Exchange:
        exchange = exchange_of(self, request, self._ends, self._limits.unread_bytes_max)
        self._receiving = exchange
        self._expect_body()
        if self._active is None:
            self._start(exchange, find)
        else:
            self._queue.append(exchange)
        return exchange

    def _withdraw(self, find: Find | None = None) -> bool:
        """Serve the request that is offered, if there is one, by the application or by `find`."""
        if self._offers is None or self._offers.request is None:
            return False
        request, body = self._offers.request, self._offers.body
        self._offers.release()
        exchange = self._take(request, find)
        for piece in body:
            exchange.feed(piece)
        return True

    def _may_shorten(self) -> bool:
        """Return whether the next request is alone, and its response may follow at once."""
        return self._active is None and not (self._shared.stopping or self._behind())

    def on_body(self, data: bytes) -> None:
        """Pass a piece of a body to its exchange; if already answered, drop it up to a limit."""
        if self._offers and self._offers.request:
            if not self._offers.add(data):
                self._withdraw()
            return
        exchange = self._receiving
        if exchange is None or exchange.done:
            self._dropped += len(data)
            if self._dropped > self._limits.unread_bytes_max:
                self._close_gently()
            return
        exchange.feed(data)
        self._received(len(data))

    def on_end(self) -> None:
        """Mark the request as complete."""
        if self._offers and self._offers.request:
            if not self._shared.stopping and (answer := self._offers.answer()):
                self._reply(answer)
                self._wait()
                return
            self._withdraw(self._offers.find())
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

    def _start(self, exchange: Exchange, find: Find | None = None) -> None:
        self._active = exchange
        if self._eof:
            exchange.leave()
        self._shared.run(exchange, find)

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
            self._wait()
        elif self._parser.part is not Part.BODY:
            self._allow(self._limits.head_timeout_s)
        self.proceed()

    def _reply(self, answer: Whole) -> None:
        """Send the shortcut's response."""
        self.write(b"".join((answer[0], self._shared.date, b"\r\n\r\n", answer[1])))

    def _wait(self) -> None:
        self._allow(self._limits.idle_timeout_s)
        self._shared.idle(self)
        self._listed_s = self._now()

    def _stay_idle(self) -> None:
        """Be idle for longer; the order of idle connections is exact to a second."""
        self._allow(self._limits.idle_timeout_s)
        if self._now() - self._listed_s > _LISTED_S:
            self._shared.busy(self)
            self._wait()

    def _refuse(self, refused: Refused) -> None:
        """Send a refusal in its turn and close the connection."""
        self._parser.over = True
        self._withdraw()
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

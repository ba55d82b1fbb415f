"""From bytes to messages: llhttp with limits, without sockets or time.

Bytes after a head are never taken for a new request before the message of that head was parsed to
its end.
"""

import logging
from enum import Enum, auto
from typing import NamedTuple, NoReturn, Protocol

import httptools

from falgate.http.server.framing import Field, Head, Refused, judge
from falgate.http.server.limits import Limits

SLICE_BYTES = 16 * 1024
"""Maximum bytes per feed. llhttp cannot be interrupted, so limits are exact to this size."""

_LOG = logging.getLogger(__name__)


class Part(Enum):
    """The part of a message being received."""

    NONE = auto()
    HEAD = auto()
    BODY = auto()


class Request(NamedTuple):
    """A request whose head is complete.

    Attributes:
        method: In upper case.
        version: "1.1" or "1.0".
        fields: Fields of the head, in order, names in lower case; never trailers.
        head: The parsed head.
        keep_alive: Whether the client would send another request afterwards.
    """

    method: bytes
    version: str
    fields: list[Field]
    head: Head
    keep_alive: bool


class Sink(Protocol):
    """Receives the messages; its methods must not feed the parser."""

    def on_request(self, request: Request) -> None:
        """A head is complete."""

    def on_body(self, data: bytes) -> None:
        """A piece of the body has arrived."""

    def on_end(self) -> None:
        """The message is complete."""


_OVER = Refused(0, "No further bytes are parsed.")


class Parser:
    """Parses the messages of one connection.

    Attributes:
        part: The part of a message being received.
        over: Whether no further message is accepted; received bytes are then dropped.
        spent: Bytes of the current message so far that are not body.
    """

    def __init__(self, sink: Sink, limits: Limits) -> None:
        self.part = Part.NONE
        self.over = False
        self.spent = 0
        self._sink = sink
        self._limits = limits
        self._llhttp = self._new_llhttp()
        self._target = b""
        self._fields: list[Field] = []
        self._offers_upgrade = self._keep_alive = False
        self._body_bytes = self._body_bytes_now = 0
        self._stopped_by: Refused | None = None

    def feed(self, data: bytes) -> None:
        """Parse up to `SLICE_BYTES` bytes; must not be called from the sink.

        Raises:
            Refused: The message is not served; nothing after it is parsed.
        """
        self._body_bytes_now, upgrade_at = 0, None
        failed: httptools.HttpParserError | None = None
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade as paused:
            upgrade_at = paused.args[0]
        except httptools.HttpParserError as error:
            failed = error
        # Outside the except blocks, so that llhttp's error does not become the context of others.
        if failed is not None:
            self._fail(failed)
        elif upgrade_at is not None:
            self._decline_upgrade(data[upgrade_at:])
        else:
            self._count(len(data) - self._body_bytes_now)

    def _count(self, size: int) -> None:
        """Limit what is not body: the head, chunk sizes, trailers and preceding blank lines."""
        self.spent += size
        in_body = self.part is Part.BODY
        if self.spent > self._limits.head_bytes_max + (self._body_bytes if in_body else 0):
            raise Refused(400 if in_body else 431, "The request's head or trailers are too large.")

    def _fail(self, error: httptools.HttpParserError) -> None:
        self.over = True
        if self._stopped_by is _OVER:
            return
        if self._stopped_by is not None:
            raise Refused(self._stopped_by.status, self._stopped_by.detail)
        if isinstance(error, httptools.HttpParserCallbackError):
            _LOG.error("A callback of the parser failed", exc_info=error)
        raise Refused(400, "The request is not valid HTTP/1.1.")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Serve a request as if it had not offered another protocol (RFC 9110 section 7.8).

        After such a head llhttp stops, considers the message ended, and would parse the body as a
        new request. So a new parser is fed the same head without the offer, and then the rest.
        """
        fields = (b"%b: %b\r\n" % each for each in self._fields if each[0] != b"upgrade")
        version = self._llhttp.get_http_version().encode()
        start = b"%b %b HTTP/%b\r\n" % (self._llhttp.get_method(), self._target, version)
        self._llhttp = self._new_llhttp()
        self.feed(start + b"".join(fields) + b"\r\n")
        if not self.over:
            self.feed(rest)

    def _new_llhttp(self) -> httptools.HttpRequestParser:
        llhttp = httptools.HttpRequestParser(self)
        # Bytes after `Connection: close` are dropped here. Every other leniency stays off.
        llhttp.set_dangerous_leniencies(lenient_data_after_close=True)
        return llhttp

    # --- From llhttp ------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start a message."""
        if self.over:
            self._stop(_OVER)
        self.part = Part.HEAD
        self._target, self._fields = b"", []
        self._offers_upgrade = False
        self.spent = self._body_bytes = 0

    def on_url(self, data: bytes) -> None:
        """Collect a piece of the target."""
        self._target += data
        if len(self._target) > self._limits.target_bytes_max:
            self._stop(Refused(414, "The request target is too long."))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field of the head; trailers are dropped (RFC 9110 section 6.5.1)."""
        if self.part is Part.HEAD:
            # RFC 9112 section 5.1: whitespace around a value is not part of it; llhttp keeps some.
            self._fields.append((name.lower(), value.rstrip(b" \t")))
            if len(self._fields) > self._limits.fields_max:
                self._stop(Refused(431, "The request has too many header fields."))

    def on_headers_complete(self) -> None:
        """Validate a complete head and pass the request on."""
        method = self._llhttp.get_method()
        if self._llhttp.should_upgrade():
            if method == b"CONNECT":
                self._stop(Refused(501, "This method is not implemented."))
            self._offers_upgrade = True
            return
        version = self._llhttp.get_http_version()
        try:
            head = judge(method, self._target, version, self._fields)
        except Refused as refused:
            self._stop(refused)
        self.part = Part.BODY
        self._keep_alive = self._llhttp.should_keep_alive()
        self._sink.on_request(Request(method, version, self._fields, head, self._keep_alive))

    def on_body(self, data: bytes) -> None:
        """Pass on a piece of the body."""
        self._body_bytes_now += len(data)
        self._body_bytes += len(data)
        self._sink.on_body(data)

    def on_message_complete(self) -> None:
        """End the message, unless llhttp only reports its end because of an upgrade offer."""
        if self._offers_upgrade:
            return
        if self._keep_alive and not self._llhttp.should_keep_alive():
            # A `Connection: close` trailer makes llhttp reject all further requests.
            self._stop(Refused(400, "A trailer must not close the connection."))
        self.part = Part.NONE
        self.spent = 0
        self._sink.on_end()

    def _stop(self, why: Refused) -> NoReturn:
        """Abort llhttp. The reason is stored: httptools may lose the exception on its way out."""
        self._stopped_by = why
        raise why

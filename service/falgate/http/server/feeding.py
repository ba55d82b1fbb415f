"""From the bytes of one connection to the parser: what waits, and when to read more.

Only `proceed` feeds the parser and decides whether to read more. So nothing is fed from inside a
parser callback, and nothing is fed twice.
"""

from abc import abstractmethod
from math import inf

from falgate.http.server.connections import Connections
from falgate.http.server.framing import Refused
from falgate.http.server.parser import SLICE_BYTES, Parser, Part
from falgate.http.server.wire import Wire


class Feeding(Wire):
    """A connection whose received bytes are fed to a parser.

    Attributes:
        peer: The client's address.
        fresh: Whether no byte has been received yet.
    """

    __slots__ = ("_feeding", "_held", "_parser", "_shared", "fresh", "peer")

    _parser: Parser

    def __init__(self, shared: Connections, peer: str) -> None:
        super().__init__(shared.limits)
        self.peer = peer
        self.fresh = True
        self._shared = shared
        self._held = bytearray()
        self._feeding = False

    @abstractmethod
    def overdue(self, now: float) -> None:
        """Check the deadlines, and refuse or close the connection if one has passed."""

    @abstractmethod
    def end_if_idle(self, fresh_s: float) -> None:
        """Close an idle connection; give a fresh one `fresh_s` for a request already on its way."""

    @abstractmethod
    def _full(self) -> bool:
        """Return whether there is no room for more requests, or more of a body."""

    @abstractmethod
    def _refuse(self, refused: Refused) -> None:
        """Refuse what was received."""

    def _feed(self, data: bytes, *, between: bool) -> None:
        """Feed received bytes; `between` tells whether no request is being received or served."""
        if between and self._shared.busy(self):
            self.fresh = False
            self._allow(self._limits.head_timeout_s)
        self._held += data
        self.proceed()

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

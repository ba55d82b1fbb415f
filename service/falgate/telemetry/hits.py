"""Hits of the fast path: noted one by one, and counted and logged in batches."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from falgate.core.events import Answered
from falgate.core.picture import Picture
from falgate.telemetry import logs
from falgate.telemetry.facts import ANSWERED, Telemetry, described, timed
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.metrics import IN_MEMORY, READ

BATCH_S = 0.1
"""How long hits wait to be counted, in seconds; an instance that is killed loses so many."""
_SEEN_MAX = 5
"""How many equal hits of a batch are known by their ids, for the request log."""
_LINES_MAX = 200
"""How many lines wait to be written: thousands at once would hold up a request for milliseconds."""

_LOG = structlog.get_logger()
_ROUTE, _OK = "run", 200
_LINE = (
    b'{"request":"%%b",%%b,"took_ms":%%.1f,"waited_ms":0.0,"event":"%b","level":"info",'
    b'"timestamp":"%%b.%%06dZ"}\n'
) % ANSWERED.encode()


class HitKind:
    """What all hits of one stored answer have in common.

    Attributes:
        event: Such a hit, without its id and times.
        fingerprint: Of the pool that it is from.
        pictures: What is handed out.
        dropped: Number of unknown fields in the request's body.
        number: Hits since the last batch.
        seen: Of those the first few: their ids, durations in seconds, and times in seconds since
            1970.
        said: What the log says of them, as members of a JSON object.
    """

    __slots__ = ("dropped", "event", "fingerprint", "number", "pictures", "said", "seen")

    def __init__(
        self, event: Answered, fingerprint: str, pictures: Sequence[Picture], dropped: int
    ) -> None:
        self.event = event
        self.fingerprint = fingerprint
        self.pictures = pictures
        self.dropped = dropped
        self.number = 0
        self.seen: list[tuple[bytes, float, float]] = []
        self.said = logs.encoded(described(event))[1:-1]


_Line = tuple[HitKind, bytes, float, float]
"""A hit to log: its kind, id, duration in seconds, and time in seconds since 1970."""


class HitCounter:
    """Counts and logs hits."""

    def __init__(
        self,
        telemetry: Telemetry,
        used: Callable[[str, Sequence[Picture], str, int], None],
    ) -> None:
        """Count hits.

        Args:
            telemetry: Counts and logs answers and requests.
            used: Called with a fingerprint, pictures of that pool, the app that they were served
                to, and how often.
        """
        telemetry.metrics.before_scrape.append(self.count)
        self._telemetry = telemetry
        self._observe = telemetry.metrics.own_seconds.observe
        self._picks = telemetry.hits_logged.picks
        self._used = used
        self._found = telemetry.metrics.fast_hits
        self._read = 0
        self._kinds: list[HitKind] = []
        self._lines: list[_Line] = []

    def read(self) -> None:
        """Note that the next hit was not in memory."""
        self._read += 1

    def note(self, kind: HitKind, request_id: bytes, took_s: float) -> None:
        """Note a hit that took this long to answer."""
        number = kind.number
        if number < _SEEN_MAX:
            if not number:
                self._kinds.append(kind)
            kind.seen.append((request_id, took_s, time.time()))
        kind.number = number + 1
        self._observe(took_s)
        if self._picks():
            self._lines.append((kind, request_id, took_s, time.time()))
            if len(self._lines) >= _LINES_MAX:
                self._log()

    async def flush(self) -> None:
        """Count and log what was noted since the last flush."""
        self.count()

    def count(self) -> None:
        """Likewise, at once."""
        self._found[(READ,)] += self._read
        self._found[(IN_MEMORY,)] -= self._read
        self._read = 0
        kinds, self._kinds = self._kinds, []
        for kind in kinds:
            number, kind.number = kind.number, 0
            self._found[(IN_MEMORY,)] += number
            self._telemetry.counted(kind.event, number)
            self._telemetry.requested(_ROUTE, _OK, number)
            if kind.dropped:
                self._telemetry.dropped(kind.event.model, kind.dropped * number)
            app = f"{kind.event.team}/{kind.event.app}"
            self._used(kind.fingerprint, kind.pictures, app, number)
            seen, kind.seen = kind.seen, []
            self._keep(kind.event, seen, number)
        self._log()

    def _keep(
        self, event: Answered, seen: Sequence[tuple[bytes, float, float]], number: int
    ) -> None:
        """Put equal hits into the request log: each that was seen stands for some of them."""
        if self._telemetry.log is None:
            return
        for index, (request_id, took_s, at_s) in enumerate(seen):
            part = number * (index + 1) // len(seen) - number * index // len(seen)
            one = msgspec.structs.replace(event, request_id=request_id.decode(), took_s=took_s)
            self._telemetry.log.note(LoggedRequest.answered(one, int(at_s * 1000), part))

    def _log(self) -> None:
        lines, self._lines = self._lines, []
        if lines and not logs.write(_encoded(lines)):
            for kind, request_id, took_s, _ in lines:
                said = described(kind.event)
                _LOG.info(ANSWERED, request=request_id.decode(), **said, **timed(took_s))


def _encoded(lines: Sequence[_Line]) -> Iterator[bytes]:
    """Yield each event as a line of JSON, as structlog would write it but for the blanks."""
    second, began = 0, b""
    for kind, request_id, took_s, at_s in lines:
        if int(at_s) != second:
            second = int(at_s)
            began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        yield _LINE % (request_id, kind.said, took_s * 1000, began, (at_s - second) * 1_000_000)

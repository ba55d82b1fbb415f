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
_SEEN_MAX = 20
"""How many alike hits are known by their ids, until they are put into the request log."""
_SHOWN_MAX = 100
"""How many hits go into the request log at once, if there are not more groups of them."""
_LINES_MAX = 200
"""How many lines wait to be written: thousands at once would hold up a request for milliseconds."""

_LOG = structlog.get_logger()
_ROUTE, _OK = "run", 200
_LINE = (
    b'{"request":"%%b",%%b,"took_ms":%%.1f,"waited_ms":0.0,"event":"%b","level":"info",'
    b'"timestamp":"%%b.%%06dZ"}\n'
) % ANSWERED.encode()


class _Group:
    """Hits that are alike, for the request log: sums of all, and the first few."""

    __slots__ = ("number", "pictures", "saved", "seen")

    def __init__(self) -> None:
        self.number, self.pictures, self.saved = 0, 0, 0
        self.seen: list[tuple[Answered, bytes, float, float]] = []

    def add(self, event: Answered, number: int) -> None:
        """Count so many equal hits."""
        self.number += number
        self.pictures += event.pictures * number
        self.saved += event.saved * number

    def logged(self, most: int) -> Iterator[LoggedRequest]:
        """Yield at most so many of the first, evenly picked, which stand for all together."""
        picked = min(most, len(self.seen))
        shown = [self.seen[len(self.seen) * at // picked] for at in range(picked)]
        sums = (
            self.number - picked,
            self.pictures - sum(each[0].pictures for each in shown),
            self.saved - sum(each[0].saved for each in shown),
        )
        for at, (event, request_id, took_s, at_s) in enumerate(shown):
            known = msgspec.structs.replace(event, request_id=request_id.decode(), took_s=took_s)
            one = LoggedRequest.answered(known, int(at_s * 1000))
            number, pictures, saved = (
                each * (at + 1) // picked - each * at // picked for each in sums
            )
            yield msgspec.structs.replace(
                one,
                number=1 + number,
                pictures=one.pictures + pictures,
                saved=one.saved + saved,
            )


_NO_GROUP = _Group()


class HitKind:
    """What all hits of one stored answer have in common.

    Attributes:
        event: Such a hit, without its id and times.
        fingerprint: Of the pool that it is from.
        pictures: What is handed out.
        dropped: Number of unknown fields in the request's body.
        number: Hits since the last batch.
        alike: What it has in common with the hits that one of the request log may stand for.
        group: Those hits, since the last hit that began a batch.
        said: What the log says of them, as members of a JSON object.
    """

    __slots__ = (
        "alike", "dropped", "event", "fingerprint", "group", "number", "pictures", "said",
    )  # fmt: skip

    def __init__(
        self, event: Answered, fingerprint: str, pictures: Sequence[Picture], dropped: int
    ) -> None:
        self.event = event
        self.fingerprint = fingerprint
        self.pictures = pictures
        self.dropped = dropped
        self.number = 0
        self.alike = (event.team, event.app, event.key, event.model, event.upstream, event.source)
        self.group = _NO_GROUP
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
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._log_request: Callable[[LoggedRequest], None] = lambda _: None
        if telemetry.log is not None:
            self._log_request = telemetry.log.note
            telemetry.log.before_flush.append(self._hand_over)

    def read(self) -> None:
        """Note that the next hit was not in memory."""
        self._read += 1

    def note(self, kind: HitKind, request_id: bytes, took_s: float) -> None:
        """Note a hit that took this long to answer."""
        number = kind.number
        if number < _SEEN_MAX:
            if not number:
                self._kinds.append(kind)
                group = self._groups.get(kind.alike)
                kind.group = group or self._groups.setdefault(kind.alike, _Group())
            seen = kind.group.seen
            if len(seen) < _SEEN_MAX:
                seen.append((kind.event, request_id, took_s, time.time()))
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
            kind.group.add(kind.event, number)
        self._log()

    def _hand_over(self) -> None:
        """Put the hits since the last call into the request log."""
        self.count()
        groups, self._groups = self._groups, {}
        each = max(1, min(_SEEN_MAX, _SHOWN_MAX // max(1, len(groups))))
        for group in groups.values():
            for one in group.logged(each):
                self._log_request(one)

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

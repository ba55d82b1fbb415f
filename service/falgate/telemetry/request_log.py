"""The request log's reader: filtered pages over all teams, the newest first."""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Protocol

from falgate.telemetry.logged_request import LogFilter, LoggedRequest
from falgate.telemetry.store.request_logs import Entry, LogName, decoded

CURSOR = r"[0-9]{1,15}-[0-9]{1,15}\.(hits|bought|refused)\.[A-Za-z0-9_.-]{0,64}"
"""The form of a cursor: an entry's id, and its log."""

LOOKED_MAX = 1_000
"""How many requests one page looks at: tens of milliseconds of work."""
_FEW, _MORE, _MOST = 16, 4, 400
_LOGS_AT_ONCE = 16

_Place = tuple[int, int, str, str]
"""Where an entry stands among those of all logs: its id, negated, and its log's kind and team."""


class Logs(Protocol):
    """The logs in Redis. Without Redis: `Unavailable`."""

    async def names(self) -> list[LogName]:
        """Return all logs, the one that was written last first."""

    async def read(
        self, wanted: Sequence[tuple[LogName, str, int]], after: str
    ) -> list[list[Entry]]:
        """Return the newest entries of logs up to an id (excluded behind "("), so many of each."""

    async def find(self, request_id: str, names: Sequence[LogName]) -> LoggedRequest | None:
        """Return a request by its id; None if none of these logs has it."""


class _Reading:
    """How far a log is read: what is read and not yet taken, and from where to go on."""

    __slots__ = ("ahead", "more", "name", "number", "until")

    def __init__(self, name: LogName, until: str) -> None:
        self.name, self.until, self.number, self.more = name, until, _FEW, True
        self.ahead: deque[Entry] = deque()

    def took(self, found: Sequence[Entry]) -> None:
        """Take what was read."""
        self.ahead.extend(found)
        self.more = len(found) == self.number
        self.number = min(_MOST, self.number * _MORE)
        if found:
            self.until = f"({found[-1][0]}"

    @property
    def place(self) -> _Place:
        """Where its next entry stands."""
        return (*_numbers(self.ahead[0][0]), self.name.kind, self.name.team)


class RequestLog:
    """The log of the last days of requests."""

    def __init__(self, logs: Logs) -> None:
        """Read these logs."""
        self._logs = logs

    async def find(self, request_id: str, team: str = "") -> LoggedRequest | None:
        """Return a request by its id, perhaps only if it is a team's; None if it is not logged.

        Raises:
            Unavailable: Without Redis.
        """
        names = [each for each in await self._logs.names() if team in {"", each.team}]
        return await self._logs.find(request_id, names)

    async def page(
        self, wanted: LogFilter, *, cursor: str = "", number: int
    ) -> tuple[list[LoggedRequest], str]:
        """Return up to `number` requests, and a cursor to the next page or "".

        What is logged between two pages is on neither of them, because it is newer.

        Args:
            wanted: Which requests.
            cursor: Cursor of the previous page; "" for the first page.
            number: How many requests.

        Raises:
            Unavailable: Without Redis.
        """
        before = _place(cursor)
        found: list[LoggedRequest] = []
        looked, words = 0, wanted.words
        unread = [
            each
            for each in await self._logs.names()
            if wanted.reads(each.kind, each.team) and each.last_ms >= wanted.first_ms
        ]
        merge = _Merge(self._logs, unread, before, wanted)
        while (entry := await merge.next()) is not None:
            place, encoded = entry
            looked += 1
            # Most of what a request costs is to decode it.
            if all(word in encoded for word in words):
                request = decoded(encoded)
                if wanted.wants(request):
                    found.append(request)
            # If few requests match, return a shorter page instead of searching for long.
            if len(found) == number or looked == LOOKED_MAX:
                return found, _cursor(place)
        return found, ""


class _Merge:
    """Entries of several logs, newest first; a log is read when its newest entry may be next."""

    def __init__(
        self, logs: Logs, unread: Sequence[LogName], before: _Place | None, wanted: LogFilter
    ) -> None:
        self._logs = logs
        self._unread = deque(unread)
        self._before = before
        self._after = f"{wanted.first_ms}-0"
        self._until = "+" if wanted.last_ms is None else f"({wanted.last_ms}-0"
        self._heads: list[tuple[_Place, _Reading]] = []

    async def next(self) -> tuple[_Place, str] | None:
        """Return the next request, encoded, with its place; None if there is no more."""
        while self._unread and (
            not self._heads or self._unread[0].last_ms >= -self._heads[0][0][0]
        ):
            some = min(_LOGS_AT_ONCE, len(self._unread))
            await self._read([self._begun(self._unread.popleft()) for _ in range(some)])
        if not self._heads:
            return None
        place, reading = heappop(self._heads)
        encoded = reading.ahead.popleft()[1]
        if reading.ahead:
            heappush(self._heads, (reading.place, reading))
        elif reading.more:
            await self._read([reading])
        return place, encoded

    def _begun(self, name: LogName) -> _Reading:
        """Begin to read a log behind the cursor."""
        if self._before is None:
            return _Reading(name, self._until)
        ms, number, *log = self._before
        # Of entries with the same id, those of the logs that come later are still to be shown.
        behind = "" if (name.kind, name.team) > tuple(log) else "("
        return _Reading(name, f"{behind}{-ms}-{-number}")

    async def _read(self, readings: Sequence[_Reading]) -> None:
        asked = [(each.name, each.until, each.number) for each in readings]
        for reading, found in zip(readings, await self._logs.read(asked, self._after), strict=True):
            reading.took(found)
            if found:
                heappush(self._heads, (reading.place, reading))


def _numbers(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return -int(ms), -int(number)


def _place(cursor: str) -> _Place | None:
    if not cursor:
        return None
    entry, kind, team = cursor.split(".", 2)
    return (*_numbers(entry), kind, team)


def _cursor(place: _Place) -> str:
    ms, number, kind, team = place
    return f"{-ms}-{-number}.{kind}.{team}"

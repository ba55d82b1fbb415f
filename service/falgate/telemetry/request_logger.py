"""The request log's writer: requests are noted in memory, and logged in batches twice a second.

Of many equal requests a few are logged, each with the number that it stands for. These are
statistics, not money: what cannot be written is dropped and counted.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.redis.retry import every
from falgate.telemetry.counts import Labels
from falgate.telemetry.logged_request import LoggedRequest, LogKind
from falgate.telemetry.metrics import LOST, MANY

PICKED_MAX: Mapping[LogKind, int] = {"hits": 20, "bought": 500, "refused": 20}
"""How many requests of a team are logged of one batch."""
NOTED_MAX = 5_000
"""How many requests wait to be logged."""

_EVERY_S = 0.5
_AT_ONCE = 200
_FEW = 2


class RequestLogs(Protocol):
    """The logs in Redis. Without Redis: `Unavailable`."""

    async def add(self, requests: Sequence[LoggedRequest]) -> None:
        """Append requests to the logs of their teams, each once."""


class _Group:
    """Equal requests of one batch, of which some are kept, evenly spread."""

    __slots__ = ("_apart", "_left", "_most", "kept")

    def __init__(self, most: int) -> None:
        self.kept: list[LoggedRequest] = []
        self._most = _FEW * most
        self._apart, self._left = 1, 0

    def add(self, request: LoggedRequest) -> int:
        """Add one; return by how many more are kept now."""
        before = len(self.kept)
        if self._left:
            self._left -= 1
            self.kept[-1] = self.kept[-1].with_others(request)
            return 0
        if before >= self._most:
            self.kept = thinned(self.kept, before // _FEW)
            self._apart *= _FEW
        self.kept.append(request)
        self._left = self._apart - 1
        return len(self.kept) - before


class RequestLogger:
    """Notes requests, and writes them to the log.

    Attributes:
        before_flush: Called before a batch is written: they note what they have.
    """

    def __init__(self, logs: RequestLogs, unlogged: Counter[Labels]) -> None:
        """Write to `logs`; count in `unlogged`, by why, the requests that could not be logged."""
        self.before_flush: list[Callable[[], None]] = []
        self._logs = logs
        self._unlogged = unlogged
        self._noted: defaultdict[tuple[LogKind, str], dict[object, _Group]] = defaultdict(dict)
        self._size = 0
        self._one_at_a_time = asyncio.Lock()

    def note(self, request: LoggedRequest) -> None:
        """Note a request, to be logged with the next batch."""
        if self._size >= NOTED_MAX:
            self._unlogged[(MANY,)] += request.number
            return
        kind = request.kind
        groups, most = self._noted[kind, request.team], PICKED_MAX[kind]
        name: object = request.alike
        if name not in groups and len(groups) >= most - 1:
            name, request = None, request.blurred()
        group = groups.get(name)
        if group is None:
            group = groups[name] = _Group(most)
        self._size += group.add(request)

    async def run(self) -> None:
        """Write until cancelled."""
        await every(_EVERY_S, self.flush)

    async def flush(self) -> None:
        """Write what was noted; also called at shutdown.

        Raises:
            Unavailable: Without Redis. What was noted is dropped.
        """
        async with self._one_at_a_time:
            for note in self.before_flush:
                note()
            noted, self._noted, self._size = self._noted, defaultdict(dict), 0
            batch = [each for of, groups in noted.items() for each in _picked(of[0], groups)]
            batch.sort(key=lambda each: each.at_ms)
            done = 0
            try:
                for done in range(0, len(batch), _AT_ONCE):
                    await self._logs.add(batch[done : done + _AT_ONCE])
            except Unavailable:
                self._unlogged[(LOST,)] += sum(each.number for each in batch[done:])
                raise


def thinned(requests: Sequence[LoggedRequest], most: int) -> list[LoggedRequest]:
    """Let at most so many of the requests, evenly spread, stand for all."""
    found = []
    for part in range(min(most, len(requests))):
        first, end = (len(requests) * at // min(most, len(requests)) for at in (part, part + 1))
        shown = requests[first]
        for other in requests[first + 1 : end]:
            shown = shown.with_others(other)
        found.append(shown)
    return found


def _picked(kind: LogKind, groups: Mapping[object, _Group]) -> Iterator[LoggedRequest]:
    """Yield the requests of a team that are logged, of each group at least one."""
    most, total = PICKED_MAX[kind], sum(len(group.kept) for group in groups.values())
    for group in groups.values():
        yield from group.kept if total <= most else thinned(group.kept, most // len(groups))

"""The request logs in Redis: of each team and kind the last requests, found by time or by id."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.telemetry.logged_request import LoggedRequest, LogKind

LOGGED_MAX: Mapping[LogKind, int] = {"hits": 2_000, "bought": 5_000, "refused": 3_000}
"""How many requests of a team are in the log."""

_ADD = Script("request_logs_add")
_AT_ONCE = 500
_DECODER = msgspec.json.Decoder(LoggedRequest)


class LogName(NamedTuple):
    """One of the logs.

    Attributes:
        kind: Which of its team's.
        team: The team; "" for requests without a known key.
        last_ms: When its last entry was written, by Redis's clock, in ms.
    """

    kind: LogKind
    team: str
    last_ms: int = 0


Entry = tuple[str, str]
"""A request, encoded, with its id in the log, which sorts by time: `<ms>-<number>`."""


class RequestLogs:
    """The logs. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, kept_ms: int = keyspace.REQUESTS_LOGGED_S * 1000) -> None:
        """Keep requests in this Redis for `kept_ms`."""
        self._redis = redis
        self._kept_ms = kept_ms

    async def add(self, requests: Sequence[LoggedRequest]) -> None:
        """Append requests to the logs of their teams, each once."""
        logs: defaultdict[tuple[LogKind, str], list[LoggedRequest]] = defaultdict(list)
        for each in requests:
            logs[each.kind, each.team].append(each)
        keys, args = list[str](), list[str | int]()
        for (kind, team), found in logs.items():
            keys += (keyspace.request_log(kind, team), keyspace.logged(kind, team))
            args += (f"{kind}:{team}", LOGGED_MAX[kind], len(found))
            for each in found:
                args += (each.id, msgspec.json.encode(each).decode())
        await _ADD(
            self._redis,
            logs=keyspace.REQUEST_LOGS,
            kept_ms=self._kept_ms,
            more_keys=keys,
            more_args=args,
        )

    async def names(self) -> list[LogName]:
        """Return all logs, the one that was written last first."""
        found: Any = await self._redis.zrevrange(keyspace.REQUEST_LOGS, 0, -1, withscores=True)
        split = ((*name.partition(":"), last_ms) for name, last_ms in found)
        return [
            LogName(cast("LogKind", kind), team, int(last_ms)) for kind, _, team, last_ms in split
        ]

    async def read(
        self, wanted: Sequence[tuple[LogName, str, int]], after: str
    ) -> list[list[Entry]]:
        """Return the newest entries of several logs, in one round trip.

        Args:
            wanted: Of each log the id up to which they are wanted, excluded if it begins with "(",
                and how many.
            after: The oldest id that is wanted.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name, until, number in wanted:
                pipeline.xrevrange(keyspace.request_log(name.kind, name.team), until, after, number)
            found: Any = await pipeline.execute()
        return [[(entry, fields["request"]) for entry, fields in each] for each in found]

    async def find(self, request_id: str, names: Sequence[LogName]) -> LoggedRequest | None:
        """Return a request by its id; None if none of these logs has it."""
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in some:
                    pipeline.hget(keyspace.logged(name.kind, name.team), request_id)
                ids: Any = await pipeline.execute()
            for name, entry in zip(some, ids, strict=True):
                if entry:
                    (found,) = await self.read([(name, entry, 1)], entry)
                    return decoded(found[0][1]) if found else None
        return None


def decoded(request: str) -> LoggedRequest:
    """Return a request as the log has it."""
    return _DECODER.decode(request)

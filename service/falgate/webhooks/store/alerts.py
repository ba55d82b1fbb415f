"""The alert queue in Redis: budget thresholds, first refusals and exhausted balances."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.events import Alerted
from falgate.redis import keyspace
from falgate.redis.bounded import attempt
from falgate.redis.clock import now_ms
from falgate.redis.lock import take

_GROUP = "tellers"
_AT_ONCE = 20
_PENDING_MAX = 1_000
_WARNED_S = 3_600


class Alerts:
    """A queue shared by all instances. All methods raise `Unavailable` without Redis.

    It is a Redis stream with one consumer group. An alert that was taken stays pending until it is
    done, and any instance may retake it after a pause, so the alerts of a dead instance are not
    lost.
    """

    def __init__(self, redis: Redis, owner: str) -> None:
        """Take alerts as `owner`, a name unique to this instance."""
        self._redis = redis
        self._owner = owner
        self._grouped = False

    async def new(self) -> Sequence[Alerted]:
        """Return alerts that no instance has taken yet."""
        found: Any
        await self._group()
        found = await self._redis.xreadgroup(
            _GROUP, self._owner, {keyspace.ALERTS: ">"}, count=_AT_ONCE
        )
        # RESP3 replies with a dict by stream name, RESP2 with a list of pairs.
        pages = found.values() if isinstance(found, dict) else [page for _, page in found]
        entries = [entry for page in pages for entry in _flat(page)]
        return [_alert(entry, fields) for entry, fields in entries]

    async def again(self, pauses_s: Sequence[int]) -> Sequence[Alerted]:
        """Return alerts taken n times, the last time longer ago than `pauses_s[n - 1]` seconds."""
        due: list[Alerted] = []
        pending: Any
        await self._group()
        pending = await self._redis.xpending_range(
            keyspace.ALERTS, _GROUP, "-", "+", _PENDING_MAX, idle=pauses_s[0] * 1000
        )
        for each in pending:
            times = each["times_delivered"]
            pause_ms = pauses_s[min(times, len(pauses_s)) - 1] * 1000
            if each["time_since_delivered"] < pause_ms:
                continue
            taken: Any
            # XCLAIM checks the idle time again, so only one of two instances gets the alert.
            taken = await self._redis.xclaim(
                keyspace.ALERTS, _GROUP, self._owner, pause_ms, [each["message_id"]]
            )
            due += [_alert(entry, fields) for entry, fields in taken if fields]
        return due

    async def warn(self, upstream: str) -> None:
        """Queue an alert that an upstream's balance is exhausted, at most once an hour."""
        if await take(self._redis, keyspace.warned(upstream), self._owner, _WARNED_S * 1000):
            await self._redis.xadd(keyspace.ALERTS, {"what": "balance", "upstream": upstream})

    async def done(self, alert: Alerted) -> None:
        """Delete an alert that was sent or given up."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(keyspace.ALERTS, _GROUP, alert.alert)
            pipeline.xdel(keyspace.ALERTS, alert.alert)
            await pipeline.execute()

    async def now_s(self) -> int:
        """Return Redis's clock, seconds since 1970."""
        return await now_ms(self._redis) // 1000

    async def _group(self) -> None:
        if self._grouped:
            return
        created = await attempt(
            self._redis, "XGROUP CREATE", keyspace.ALERTS, _GROUP, "0", "MKSTREAM"
        )
        if isinstance(created, ResponseError) and not str(created).startswith("BUSYGROUP"):
            raise created
        self._grouped = True


def _flat(page: Any) -> Sequence[Any]:
    """Return the entries of a page; RESP3 wraps them in one more list."""
    return page[0] if page and isinstance(page[0], list) else page


def _alert(entry: str, fields: dict[str, str]) -> Alerted:
    if fields.get("what") == "balance":
        return Alerted(
            alert=entry, upstream=fields["upstream"], account="", level="", window="",
            percent=0, limit=0, spent=0, held=0, what="balance",
        )  # fmt: skip
    upstream, charged = keyspace.account_of(fields["account"])
    return Alerted(
        alert=entry,
        upstream=upstream,
        account=charged.name,
        level=charged.level,
        window=fields["window"],
        what="refused" if fields.get("what") == "refused" else "threshold",
        percent=int(fields["percent"]),
        limit=int(fields["limit"]),
        spent=int(fields["spent"]),
        held=int(fields.get("held", 0)),
    )

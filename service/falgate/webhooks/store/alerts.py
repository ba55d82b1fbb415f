"""The alert queue in Redis: budgets, exhausted balances, and models that end."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.events import Alert, Alerted, ModelAlerted
from falgate.redis import keyspace
from falgate.redis.bounded import attempt
from falgate.redis.clock import now_ms
from falgate.redis.lock import take
from falgate.redis.script import Script

_ONCE = Script("alerts_once")

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

    async def new(self) -> Sequence[Alert]:
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

    async def again(self, pauses_s: Sequence[int]) -> Sequence[Alert]:
        """Return alerts taken n times, the last time longer ago than `pauses_s[n - 1]` seconds."""
        due: list[Alert] = []
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
        if await take(self._redis, keyspace.alert_turn(upstream), self._owner, _WARNED_S * 1000):
            await self._redis.xadd(keyspace.ALERTS, {"what": "balance", "upstream": upstream})

    async def once(self, name: str, alert: ModelAlerted) -> bool:
        """Queue an alert about a model, unless one of this name was queued before.

        Args:
            name: Says what is told, and of which time.
            alert: The alert; its id is given when it is queued.

        Returns:
            Whether it is queued now.
        """
        fields = msgspec.to_builtins(alert) | {"what": f"model_{alert.what}"}
        fields["apps"] = msgspec.json.encode(alert.apps).decode()
        del fields["alert"]
        given = [part for pair in fields.items() for part in pair]
        return bool(await _ONCE(self._redis, name=name, more_args=given))

    async def told(self, name: str) -> bool:
        """Return whether an alert of this name was queued before."""
        return bool(await self._redis.sismember(keyspace.ALERTED, name))

    async def turn(self, of: str, lease_s: int) -> bool:
        """Return whether this instance is the one that looks after `of` for the next seconds."""
        return await take(self._redis, keyspace.alert_turn(of), self._owner, lease_s * 1000)

    async def done(self, alert: Alert) -> None:
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


def _alert(entry: str, fields: dict[str, str]) -> Alert:
    if fields.get("what", "").startswith("model_"):
        return ModelAlerted(
            alert=entry,
            upstream=fields["upstream"],
            model=fields["model"],
            what="gone" if fields["what"] == "model_gone" else "retires",
            retires=fields["retires"],
            days_left=int(fields["days_left"]),
            successor=fields["successor"],
            apps=msgspec.json.decode(fields["apps"], type=tuple[str, ...]),
        )
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

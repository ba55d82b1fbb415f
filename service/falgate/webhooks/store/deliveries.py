"""Webhooks in Redis: claimed by one instance for a minute, settled, resent and expired."""

from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors
from falgate.webhooks.delivery import Claimed, Delivery, State

_CLAIM = Script("deliveries_claim")
_SETTLE = Script("deliveries_settle")
_RESEND = Script("deliveries_resend")
_SWEEP = Script("deliveries_sweep")

LEASE_MS = 60_000
_ASIDE_MS = 1_000
_AT_ONCE = 100
_ENDED: tuple[State, ...] = ("failed", "delivered")


class Deliveries:
    """The webhooks of one ledger. All methods raise `Unavailable` without Redis.

    Webhooks are created by the Lua script that ends their request.
    """

    def __init__(self, redis: Redis, *, lease_ms: int = LEASE_MS) -> None:
        """Claim webhooks for `lease_ms`, which must be longer than an attempt may take."""
        self._redis = redis
        self._lease_ms = lease_ms

    async def claim(self, number: int, each: int, busy: Mapping[str, int]) -> list[Claimed]:
        """Claim up to `number` due webhooks and count an attempt of each.

        Args:
            number: Maximum number to claim.
            each: Maximum number under way per app.
            busy: Number already under way, by "team/app".
        """
        with translate_errors():
            now_ms, *taken = await _CLAIM(
                self._redis,
                waiting=keyspace.deliveries("waiting"),
                prefix=keyspace.delivery(""),
                number=number,
                each=each,
                lease_ms=self._lease_ms,
                aside_ms=_ASIDE_MS,
                busy=msgspec.json.encode(busy).decode(),
            )
        return [
            Claimed(
                record(request_id, dict(zip(flat[::2], flat[1::2], strict=True)), int(until_ms)),
                int(until_ms),
                int(now_ms) // 1000,
            )
            for request_id, until_ms, flat in taken
        ]

    async def settle(self, claimed: Claimed, state: State, said: str, *, after_ms: int = 0) -> bool:
        """Record the result of an attempt; return False when the claim has expired.

        Args:
            claimed: From `claim`.
            state: The webhook's new state.
            said: The HTTP status, or the name of an error.
            after_ms: Delay until the next attempt, if the webhook waits.
        """
        request_id = claimed.delivery.request_id
        with translate_errors():
            done = await _SETTLE(
                self._redis,
                delivery=keyspace.delivery(request_id),
                waiting=keyspace.deliveries("waiting"),
                into=keyspace.deliveries(state),
                id=request_id,
                until_ms=claimed.until_ms,
                state=state,
                said=said,
                after_ms=after_ms,
            )
        return bool(done)

    async def read(self, request_id: str) -> Delivery | None:
        """Return a webhook, or None if it never existed or has expired."""
        fields: Any
        due_ms: Any
        with translate_errors():
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.hgetall(keyspace.delivery(request_id))
                pipeline.zscore(keyspace.deliveries("waiting"), request_id)
                fields, due_ms = await pipeline.execute()
        return record(request_id, fields, int(due_ms or 0)) if fields else None

    async def resend(self, request_id: str, who: str) -> bool:
        """Queue a webhook again and write an audit log entry; return False if there is none."""
        with translate_errors():
            done = await _RESEND(
                self._redis,
                delivery=keyspace.delivery(request_id),
                waiting=keyspace.deliveries("waiting"),
                failed=keyspace.deliveries("failed"),
                delivered=keyspace.deliveries("delivered"),
                audit=keyspace.AUDIT,
                id=request_id,
                who=who,
            )
        return bool(done)

    async def sweep(self, now_ms: int | None = None) -> int:
        """Delete up to 100 expired webhooks of each final state; return the count."""
        forgotten = 0
        with translate_errors():
            if now_ms is None:
                seconds, _ = await self._redis.time()
                now_ms = int(seconds) * 1000
            before_ms = now_ms - keyspace.DELIVERY_KEPT_S * 1000
            for state in _ENDED:
                ended = keyspace.deliveries(state)
                old: Any = await self._redis.zrangebyscore(
                    ended, "-inf", f"({before_ms}", start=0, num=_AT_ONCE
                )
                if old:
                    forgotten += await _SWEEP(
                        self._redis,
                        ended=ended,
                        before_ms=before_ms,
                        more_keys=[keyspace.delivery(request_id) for request_id in old],
                        more_args=old,
                    )
        return forgotten


def record(request_id: str, fields: Mapping[str, str], due_ms: int) -> Delivery:
    """Build a webhook from its hash and its due time."""
    known: dict[str, Any] = {"request_id": request_id, "due_ms": due_ms, **fields}
    return msgspec.convert(known, Delivery, strict=False)

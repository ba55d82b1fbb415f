"""Webhooks in Redis: claimed by one instance for a minute, settled, resent, listed, expired."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.webhooks.delivery import STATES, Claimed, Delivery, Place, State

_CLAIM = Script("deliveries_claim")
_SETTLE = Script("deliveries_settle")
_RESEND = Script("deliveries_resend")
_SWEEP = Script("deliveries_sweep")

LEASE_MS = 60_000
_ASIDE_MS = 1_000
_AT_ONCE = 100
_CHUNK = 200
_LOOKED_AT_MAX = 2_000
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
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(keyspace.delivery(request_id))
            pipeline.zscore(keyspace.deliveries("waiting"), request_id)
            fields, due_ms = await pipeline.execute()
        return record(request_id, fields, int(due_ms or 0)) if fields else None

    async def resend(self, request_id: str, who: str) -> bool:
        """Queue a webhook again and write an audit log entry; return False if there is none."""
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

    async def page(
        self, states: Sequence[State], app: str, after: Place | None, number: int
    ) -> tuple[list[Delivery], Place | None]:
        """Return a page of webhooks and the place to continue from, None at the end.

        A webhook whose state changes while a client pages may appear twice but is never skipped: it
        only ever moves towards the end of the list.

        Args:
            states: The states to list, in the order of `STATES`.
            app: Only those of TEAM or TEAM/APP; "" for all.
            after: Continue behind this place; None to start.
            number: Page size. A page may be shorter when few webhooks belong to the app.
        """
        found: list[Delivery] = []
        looked_at = 0
        for state in states:
            if after and STATES.index(state) < STATES.index(after.state):
                continue
            begin = after if after and after.state == state else None
            async for place, delivery in self._walk(state, begin):
                looked_at += 1
                if delivery and _is_of(delivery, app):
                    found.append(delivery)
                if len(found) >= number or looked_at >= _LOOKED_AT_MAX:
                    return found, place
        return found, None

    async def _walk(
        self, state: State, after: Place | None
    ) -> AsyncIterator[tuple[Place, Delivery | None]]:
        """Yield every webhook of a state behind a place."""
        down = state != "waiting"
        edge = after.at_ms if after else ("+inf" if down else "-inf")
        first, last = (edge, "-inf") if down else (edge, "+inf")
        offset = 0
        while True:
            listed: Any = await self._redis.zrange(
                keyspace.deliveries(state),
                first,
                last,
                desc=down,
                byscore=True,
                offset=offset,
                num=_CHUNK,
                withscores=True,
            )
            places = [Place(state, int(at_ms), name) for name, at_ms in listed]
            fresh = [place for place in places if after is None or _behind(place, after)]
            for place, delivery in zip(fresh, await self._read(fresh), strict=True):
                yield place, delivery
            if len(listed) < _CHUNK:
                return
            offset += _CHUNK

    async def _read(self, places: Sequence[Place]) -> list[Delivery | None]:
        hashes: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for place in places:
                pipeline.hgetall(keyspace.delivery(place.request_id))
            hashes = await pipeline.execute()
        return [
            record(place.request_id, fields, place.at_ms if place.state == "waiting" else 0)
            if fields
            else None
            for place, fields in zip(places, hashes, strict=True)
        ]


def record(request_id: str, fields: Mapping[str, str], due_ms: int) -> Delivery:
    """Build a webhook from its hash and its due time."""
    known: dict[str, Any] = {"request_id": request_id, "due_ms": due_ms, **fields}
    return msgspec.convert(known, Delivery, strict=False)


def _behind(place: Place, after: Place) -> bool:
    mine, other = (place.at_ms, place.request_id), (after.at_ms, after.request_id)
    return mine > other if place.state == "waiting" else mine < other


def _is_of(delivery: Delivery, app: str) -> bool:
    return not app or delivery.subject == app or delivery.subject.startswith(f"{app}/")

"""Webhook lists in Redis: waiting ones by next attempt, ended ones newest first."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.unavailable import translate_errors
from falgate.webhooks.delivery import STATES, Delivery, Place, State
from falgate.webhooks.store.deliveries import record

_CHUNK = 200
_LOOKED_AT_MAX = 2_000


class DeliveryLists:
    """Pages of webhooks. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

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
            listed: Any
            with translate_errors():
                listed = await self._redis.zrange(
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
        with translate_errors():
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


def _behind(place: Place, after: Place) -> bool:
    mine, other = (place.at_ms, place.request_id), (after.at_ms, after.request_id)
    return mine > other if place.state == "waiting" else mine < other


def _is_of(delivery: Delivery, app: str) -> bool:
    return not app or delivery.subject == app or delivery.subject.startswith(f"{app}/")

"""Lists of webhooks: those that wait, the next one first, then those that ended, the last first."""

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
        """Read them in this Redis."""
        self._redis = redis

    async def page(
        self, states: Sequence[State], app: str, after: Place | None, number: int
    ) -> tuple[list[Delivery], Place | None]:
        """Some webhooks, and where to go on, if there may be more.

        An item that moves meanwhile, because it was tried, may come twice, and is never left out:
        it only ever moves towards the end.

        Args:
            states: Which, of `STATES` and in its order.
            app: Only those of TEAM or TEAM/APP; "" for all.
            after: Where to go on; None for the beginning.
            number: How many at most. It may be fewer where few are the app's.
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
        """Every webhook of a state behind a place."""
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

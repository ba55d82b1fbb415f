"""Finds pools by several conditions, newest first, in the sorted sets of the catalogue."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.cache.pool_info import PoolInfo
from falgate.pictures.catalogue import Sought
from falgate.pictures.store.catalogue import APP, with_teams
from falgate.pictures.words import word_names
from falgate.redis import picture_keys
from falgate.redis.script import Script

_INDEX = Script("catalogue_index")
ALL = 999_999
"""Instead of a number of pictures: all of a pool."""


class Place(msgspec.Struct, frozen=True):
    """A place in a list of pools.

    Attributes:
        base: Which of the conditions' sets is walked.
        at_ms: The last pool's time in it; 0 before the first pool.
        fingerprint: The last pool.
        shown: How many of its pictures were shown; `ALL` if none is left.
    """

    base: int
    at_ms: int = 0
    fingerprint: str = ""
    shown: int = 0


class PoolIndex:
    """The sets of pools by app, team, model and word. Methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read the sets of this Redis."""
        self._redis = redis

    async def first(self, sought: Sought) -> Place | None:
        """Return where to begin, in the smallest set; None if one of the sets is empty."""
        keys = _sets(sought)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.zcard(key)
            sizes: Any = await pipeline.execute()
        return Place(sizes.index(min(sizes))) if all(sizes) else None

    async def behind(
        self, place: Place, sought: Sought, number: int
    ) -> tuple[list[tuple[Place, bool]], bool]:
        """Return pools of the walked set behind a place.

        The pool of `place` comes again if some of its pictures were not shown.

        Returns:
            Up to `number` pools, each with whether it is in all other sets, and whether there are
            more.
        """
        keys = _sets(sought)
        base = keys[place.base if place.base < len(keys) else 0]
        found, more = await self._walk(base, place, sought, number)
        others = [key for key in keys if key != base]
        fingerprints = [fingerprint for fingerprint, _ in found]
        hits: list[Any] = []
        if found and others:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in others:
                    pipeline.zmscore(key, fingerprints)
                hits = await pipeline.execute()
        pools = [
            (
                Place(place.base, at_ms, fingerprint, _shown(place, fingerprint)),
                all(each[index] is not None for each in hits),
            )
            for index, (fingerprint, at_ms) in enumerate(found)
        ]
        return pools, more

    async def _walk(
        self, base: str, place: Place, sought: Sought, number: int
    ) -> tuple[list[tuple[str, int]], bool]:
        last: int | str = "+inf" if sought.until_ms is None else f"({sought.until_ms}"
        if place.at_ms:
            last = place.at_ms
        found: list[tuple[str, int]] = []
        offset, more = 0, True
        while more and not found:
            page: Any = await self._redis.zrevrangebyscore(
                base, last, sought.from_ms, start=offset, num=number, withscores=True
            )
            found = [
                (fingerprint, int(at_ms))
                for fingerprint, at_ms in page
                if not (place.at_ms == at_ms and _is_over(place, fingerprint))
            ]
            offset, more = offset + len(page), len(page) == number
        return found, more

    async def add_missing(self, fingerprints: Sequence[str]) -> int:
        """Note pools of an earlier version in the sets; return how many."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for fingerprint in fingerprints:
                pipeline.hgetall(picture_keys.about(fingerprint))
            found: Any = await pipeline.execute()
        known = {
            fingerprint: (fields, about)
            for fingerprint, fields in zip(fingerprints, found, strict=True)
            if (about := msgspec.json.decode(fields.get("about", "null"), type=PoolInfo | None))
        }
        async with self._redis.pipeline(transaction=False) as pipeline:
            for fingerprint, (_, about) in known.items():
                pipeline.zscore(picture_keys.pools_for(about.endpoint), fingerprint)
            scores: Any = await pipeline.execute()
        added = 0
        for (fingerprint, (fields, about)), score in zip(known.items(), scores, strict=True):
            if score is None:
                added += await self._add(fingerprint, fields, about)
        return added

    async def _add(self, fingerprint: str, fields: dict[str, str], about: PoolInfo) -> int:
        words = word_names(about.prompt or "")
        apps = [field.removeprefix(APP) for field in fields if field.startswith(APP)]
        return int(
            await _INDEX(
                self._redis,
                fingerprint=fingerprint,
                endpoint=about.endpoint,
                about_json=fields["about"],
                words=" ".join(words),
                more_keys=[
                    *map(picture_keys.pools_with, words),
                    *map(picture_keys.pools_of, with_teams(apps)),
                ],
            )
        )


def _sets(sought: Sought) -> list[str]:
    """Return the sets that must all have a pool, in an order that depends on nothing else."""
    keys = [picture_keys.pools_with(word) for word in word_names(sought.words)]
    if sought.endpoint:
        keys.append(picture_keys.pools_for(sought.endpoint))
    keys += [picture_keys.pools_of(owner) for owner in (sought.team, sought.app) if owner]
    if sought.pinned:
        keys.append(picture_keys.PINNED_POOLS)
    return keys or [picture_keys.POOLS]


def _shown(place: Place, fingerprint: str) -> int:
    return place.shown if fingerprint == place.fingerprint else 0


def _is_over(place: Place, fingerprint: str) -> bool:
    """Return whether a pool with the time of a place comes before it, or has been shown."""
    return fingerprint > place.fingerprint or (
        fingerprint == place.fingerprint and place.shown == ALL
    )

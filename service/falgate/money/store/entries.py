"""Reading of ledger entries, page by page, oldest or newest first."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.raw import raw

Raw = tuple[str, dict[str, str]]
"""An entry's stream id and its fields."""

PAGE = 250
"""Small enough that a gateway which reads all entries continues to answer in between."""


class Looked(NamedTuple):
    """Entries that were looked at.

    Attributes:
        number: How many.
        last: The id of the last of them.
        entries: Those that may be meant, in order.
    """

    number: int
    last: str
    entries: list[Raw]


FIRST, LAST = "0-0", f"{2**64 - 1}-{2**64 - 1}"
"""Ids before and after all entries."""


def entry_id(entry: str) -> tuple[int, int]:
    """Return an entry's id in a form that sorts by age: milliseconds and sequence number."""
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number or 0)


def behind(entry: str) -> str:
    """Return the smallest id after this one."""
    at_ms, number = entry_id(entry)
    return f"{at_ms}-{number + 1}"


def last_before(at_ms: int) -> str:
    """Return the largest id that an entry from before a time can have."""
    return f"{at_ms - 1}-{2**64 - 1}" if at_ms > 0 else FIRST


class Entries:
    """Ledger entries of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def pages(
        self, upstream: str, *, after: str = FIRST, until: str = "+", newest_first: bool = False
    ) -> AsyncIterator[list[Raw]]:
        """Yield entries after one id and up to another, or before the other if it begins with "(".

        Ids may lack the sequence number.
        """
        async for looked in self.with_words(
            upstream, (), after=after, until=until, newest_first=newest_first
        ):
            yield looked.entries

    async def with_words(
        self,
        upstream: str,
        words: Sequence[str],
        *,
        after: str = FIRST,
        until: str = "+",
        newest_first: bool = False,
    ) -> AsyncIterator[Looked]:
        """Yield the same, of which only entries that contain all of the words are decoded.

        Most of what an entry costs is to make objects of its fields.
        """
        key, least, most = keyspace.ledger(upstream), f"({after}", until
        sought = [word.encode() for word in words]
        while True:
            way = ("XREVRANGE", key, most, least) if newest_first else ("XRANGE", key, least, most)
            page = await raw(self._redis, *way, "COUNT", PAGE)
            if not page:
                return
            last = page[-1][0].decode()
            yield Looked(len(page), last, [_decoded(*each) for each in page if _has(sought, each)])
            if len(page) < PAGE:
                return
            bound = f"({last}"
            least, most = (least, bound) if newest_first else (bound, most)

    async def marked(self, upstream: str, found: Sequence[Raw]) -> list[Raw]:
        """Add to closing entries whether their cost was compared with fal's billing."""
        jobs = [fields["job"] for _, fields in found if fields.get("kind") == "close"]
        if not jobs:
            return list(found)
        told: Any = await self._redis.hmget(keyspace.corrected(upstream), jobs)
        compared = {job for job, cost in zip(jobs, told, strict=True) if cost is not None}
        return [
            (entry, {**fields, "reconciled": "yes" if fields["job"] in compared else "no"})
            if fields.get("kind") == "close"
            else (entry, fields)
            for entry, fields in found
        ]

    async def of_job(self, upstream: str, job: str) -> tuple[str, str]:
        """Return ids between which a job's entries are, as far as its record still says so."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hget(keyspace.job(job), "began_ms")
            pipeline.zscore(keyspace.ended_jobs(upstream), job)
            pipeline.hexists(keyspace.corrected(upstream), job)
            began_ms, ended_ms, corrected = await pipeline.execute()
        after = last_before(int(began_ms)) if began_ms else FIRST
        # A correction may come long after the end of its job.
        done = began_ms and ended_ms is not None and not corrected
        return after, f"{int(ended_ms) + 1}-0" if done else LAST

    async def archived_until(self, upstream: str) -> str:
        """Return the id of the last archived entry, or ""."""
        return str(await self._redis.hget(keyspace.opening(upstream), "archived") or "")


def _has(sought: Sequence[bytes], found: tuple[bytes, list[bytes]]) -> bool:
    if not sought:
        return True
    whole = b"\0".join(found[1])
    return all(word in whole for word in sought)


def _decoded(entry: bytes, fields: Sequence[bytes]) -> Raw:
    texts = [each.decode() for each in fields]
    return entry.decode(), dict(zip(texts[::2], texts[1::2], strict=True))

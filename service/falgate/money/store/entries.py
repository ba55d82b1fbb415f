"""Reading of ledger entries, page by page, oldest or newest first."""

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.unavailable import translate_errors

Raw = tuple[str, dict[str, str]]
"""An entry's stream id and its fields."""

PAGE = 250
"""Small enough that a gateway which reads all entries continues to answer in between."""


def entry_id(entry: str) -> tuple[int, int]:
    """Return an entry's id in a form that sorts by age: milliseconds and sequence number."""
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number)


def behind(entry: str) -> str:
    """Return the smallest id after this one."""
    at_ms, number = entry_id(entry)
    return f"{at_ms}-{number + 1}"


class Entries:
    """Ledger entries of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def pages(
        self, upstream: str, *, after: str = "0-0", until: str = "+"
    ) -> AsyncIterator[list[Raw]]:
        """Yield entries after one id and up to another, oldest first; ids may lack the sequence."""
        while True:
            page: Any
            with translate_errors():
                page = await self._redis.xrange(
                    keyspace.ledger(upstream), min=f"({after}", max=until, count=PAGE
                )
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1][0]

    async def newest(
        self, upstream: str, *, before: str = "+", since: str = "-"
    ) -> AsyncIterator[Raw]:
        """Yield entries before one id and down to another, newest first."""
        newest = before if before == "+" else f"({before}"
        while True:
            page: Any
            with translate_errors():
                page = await self._redis.xrevrange(
                    keyspace.ledger(upstream), max=newest, min=since, count=PAGE
                )
            for each in page:
                yield each
            if len(page) < PAGE:
                return
            newest = f"({page[-1][0]}"

    async def archived_until(self, upstream: str) -> str:
        """Return the id of the last archived entry, or ""."""
        with translate_errors():
            return str(await self._redis.hget(keyspace.opening(upstream), "archived") or "")

    async def now_ms(self) -> int:
        """Return Redis's time, in milliseconds since 1970."""
        return await now_ms(self._redis)

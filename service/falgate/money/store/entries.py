"""Reading the ledger's entries, page by page: the oldest first, or the newest."""

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.unavailable import translate_errors

Raw = tuple[str, dict[str, str]]
"""An entry's id and its fields."""

PAGE = 250
"""Few enough that a gateway which reads them all keeps answering in between."""


def entry_id(entry: str) -> tuple[int, int]:
    """An entry's id, as what sorts by age: milliseconds, and a count."""
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number)


def behind(entry: str) -> str:
    """The first id that an entry behind this one can have."""
    at_ms, number = entry_id(entry)
    return f"{at_ms}-{number + 1}"


class Entries:
    """The entries of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read them in this Redis."""
        self._redis = redis

    async def pages(
        self, upstream: str, *, after: str = "0-0", until: str = "+"
    ) -> AsyncIterator[list[Raw]]:
        """Those behind one id, up to another one, the oldest first; an id may be milliseconds."""
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
        """Those before one id, down to another one, the newest first."""
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
        """The id of the last entry that is in an archive, or ""."""
        with translate_errors():
            return str(await self._redis.hget(keyspace.opening(upstream), "archived") or "")

    async def now_ms(self) -> int:
        """Redis's clock, milliseconds since 1970."""
        return await now_ms(self._redis)

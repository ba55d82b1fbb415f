"""The ledger: its birth record, limits, where the money stands, and its entries."""

import uuid
from collections.abc import AsyncIterator
from datetime import tzinfo
from typing import Any

from redis.asyncio import Redis

from falgate.core import budget
from falgate.core.budget import Account, Position
from falgate.core.money import Micros
from falgate.store import _keys
from falgate.store._reach import reaching

_PAGE = 500


class LedgerStrange(Exception):
    """The ledger in Redis is not the one that was expected; the message says what to do."""


class Ledger:
    """Money of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, *, zone: tzinfo) -> None:
        """Read it with the organisation's own midnights."""
        self._redis = redis
        self._zone = zone

    async def birth(self, expected: str | None) -> str:
        """The id of the ledger, made on its first start; holds are refused under any other.

        Raises:
            LedgerStrange: Another ledger than `expected`, or none where there was one.
        """
        with reaching():
            if expected is None:
                await self._redis.hsetnx(_keys.META, "id", uuid.uuid4().hex)
            found = await self._redis.hget(_keys.META, "id")
        if found is None or (expected is not None and found != expected):
            raise LedgerStrange(
                "Redis no longer holds the ledger that this data directory was used with"
            )
        return str(found)

    async def limit(
        self, upstream: str, account: Account, kind: budget.Kind, limit: Micros, *, keep: bool
    ) -> None:
        """Set a budget's limit; with `keep`, only where there is none yet."""
        key, field = _keys.account(upstream, account), f"limit:{kind}"
        with reaching():
            if keep:
                await self._redis.hsetnx(key, field, str(limit))
            else:
                await self._redis.hset(key, field, str(limit))

    async def house_limit(self, upstream: str, limit: Micros, *, keep: bool) -> None:
        """Set how much settlements may exceed their holds by; with `keep`, only at first."""
        with reaching():
            if keep:
                await self._redis.hsetnx(_keys.house(upstream), "limit", str(limit))
            else:
                await self._redis.hset(_keys.house(upstream), "limit", str(limit))

    async def positions(self, upstream: str, account: Account) -> list[Position]:
        """Where an account stands in each window of now."""
        with reaching():
            seconds, _ = await self._redis.time()
            figures = await self._redis.hgetall(_keys.account(upstream, account))
        return [
            Position(
                account=account,
                window=window,
                limit=int(limit) if (limit := figures.get(f"limit:{window.kind}")) else None,
                spent=int(figures.get(f"spent:{window.kind}:{window.id}", 0)),
                held=int(figures.get(f"held:{window.kind}:{window.id}", 0)),
            )
            for window in budget.windows(int(seconds) * 1000, self._zone)
        ]

    async def house(self, upstream: str) -> tuple[Micros, Micros]:
        """The house's limit and what is used of it."""
        with reaching():
            limit, overrun = await self._redis.hmget(_keys.house(upstream), ["limit", "overrun"])
        return int(limit or 0), int(overrun or 0)

    async def open_jobs(self, upstream: str) -> int:
        """How many jobs are not ended."""
        with reaching():
            return int(await self._redis.zcard(_keys.open_jobs(upstream)))

    async def entries(self, upstream: str) -> AsyncIterator[dict[str, str]]:
        """Every entry, the oldest first, each with its stream id as `entry`."""
        after = "-"
        while True:
            page: Any
            with reaching():
                page = await self._redis.xrange(_keys.ledger(upstream), min=after, count=_PAGE)
            for entry, fields in page:
                yield {"entry": entry, **fields}
            if len(page) < _PAGE:
                return
            after = f"({page[-1][0]}"

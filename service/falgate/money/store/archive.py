"""Redis side of archiving: removes entries in batches, and sweeps old counters."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.account import account
from falgate.core.money import Micros
from falgate.money.store.entries import Raw, behind
from falgate.money.store.torn import refuse_torn
from falgate.money.store.usage_sums import CORRECTED_DAYS, UsageSums
from falgate.money.sums import COUNTERS, is_recent, recent
from falgate.redis import keyspace, usage_keys
from falgate.redis.clock import now_ms
from falgate.redis.lock import take
from falgate.redis.script import Script

_ARCHIVE = Script("ledger_archive")
_SWEEP = Script("counters_sweep")
_FORGET = Script("usage_forget")

_ALERTED = ("alerted", "filled", "refused")
_WINDOWS_AT_ONCE = 500
_SWEPT_DAYS = 60
_AGAIN_DAYS = 3


class Archiving:
    """Old entries and counters. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, owner: str) -> None:
        """Archive as `owner`, a name that no other instance has."""
        self._redis = redis
        self._owner = owner

    async def turn(self, upstream: str, lease_s: int) -> bool:
        """Return whether the caller may archive for `lease_s` seconds; one instance may."""
        key = keyspace.archivist(upstream)
        if await take(self._redis, key, self._owner, lease_s * 1000):
            return True
        if await self._redis.get(key) != self._owner:
            return False
        return bool(await self._redis.expire(key, lease_s))

    async def left(self, upstream: str) -> None:
        """Release the lease."""
        if await self._redis.get(keyspace.archivist(upstream)) == self._owner:
            await self._redis.delete(keyspace.archivist(upstream))

    async def first(self, upstream: str, number: int) -> list[Raw]:
        """Return up to `number` of the ledger's first entries, oldest first."""
        page: Any = await self._redis.xrange(keyspace.ledger(upstream), count=number)
        return list(page)

    async def take_out(
        self, upstream: str, batch: Sequence[Raw], sums: Mapping[str, Micros]
    ) -> bool:
        """Remove archived entries and keep their sums; False if that was done before."""
        last = batch[-1][0]
        closed = [fields["job"] for _, fields in batch if fields["kind"] == "close"]
        done = await _ARCHIVE(
            self._redis,
            upstream=upstream,
            first=batch[0][0],
            last=last,
            behind=behind(last),
            sums=msgspec.json.encode({name: str(sums[name]) for name in sums}).decode(),
            more_args=closed,
        )
        refuse_torn(done)
        return bool(done)

    async def sweep(self, upstream: str) -> int:
        """Delete the counters of windows that closed long ago; return how many windows."""
        now_ms = await self.now_ms()
        since = recent(now_ms)
        names: Any = await self._redis.smembers(keyspace.accounts(upstream))
        forgotten = 0
        for name in sorted(names):
            async for windows in self._old(upstream, name, since):
                forgotten += await _SWEEP(
                    self._redis, upstream=upstream, account_name=name, more_args=windows
                )
        await self._sweep_days(upstream, now_ms)
        return forgotten

    async def now_ms(self) -> int:
        """Return Redis's time, in milliseconds since 1970."""
        return await now_ms(self._redis)

    async def _old(
        self, upstream: str, name: str, since: Mapping[str, str]
    ) -> AsyncIterator[list[str]]:
        fields: Any = await self._redis.hkeys(keyspace.account(upstream, account(name)))
        split = (field.partition(":") for field in fields)
        old = sorted(
            {
                window
                for counter, _, window in split
                if counter in {*COUNTERS, *_ALERTED} and not is_recent(window, since)
            }
        )
        for start in range(0, len(old), _WINDOWS_AT_ONCE):
            yield old[start : start + _WINDOWS_AT_ONCE]

    async def _sweep_days(self, upstream: str, now_ms: int) -> None:
        """Delete hourly counts, breakdowns with their sums, and batch ids whose time is over.

        The last days are added up again, in case another version counted there too, and all that
        may have been counted in part, see `torn`.
        """
        hits = _before(now_ms, usage_keys.HITS_KEPT_S)
        broken_down = _before(now_ms, usage_keys.BREAKDOWN_KEPT_S)
        await self._redis.unlink(*(usage_keys.hits(upstream, day) for day in hits))
        # All are asked for at once, because mostly none is there.
        if await self._redis.exists(*(usage_keys.breakdown(upstream, day) for day in broken_down)):
            for day in broken_down:
                await _FORGET(self._redis, upstream=upstream, day=day)
        called = _before(now_ms, usage_keys.CALLERS_KEPT_S)[0].replace("-", "")
        await self._redis.zremrangebyscore(usage_keys.callers(upstream), "-inf", called)
        sums = UsageSums(self._redis)
        for back, day in enumerate(_days(now_ms, range(-1, CORRECTED_DAYS)), -1):
            await sums.add_up(upstream, day, again=back < _AGAIN_DAYS)
        await self._redis.zremrangebyscore(
            keyspace.POSTED, "-inf", f"({now_ms - keyspace.POSTED_KEPT_S * 1000}"
        )


def _before(now_ms: int, kept_s: int) -> list[str]:
    """Return the days before those that are kept, as many as earlier sweeps may have missed."""
    return _days(now_ms - kept_s * 1000, range(1, _SWEPT_DAYS))


def _days(now_ms: int, back: Iterable[int]) -> list[str]:
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return [(today - timedelta(days=days)).isoformat() for days in back]

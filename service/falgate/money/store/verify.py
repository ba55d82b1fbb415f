"""Ledger verification: compares every account's counters with its entries and open jobs.

It runs while purchases go on, without blocking them, and reports no false differences. First all
entries so far are added up. Then the counters are read, a few accounts at a time, each time in one
transaction with the id of the last entry and the open jobs. Before the comparison, the sums are
extended to exactly that entry, so entries written in the meantime cannot look like differences. If
entries are archived in the meantime, the verification starts over.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.account import account
from falgate.core.errors import Unavailable
from falgate.money.difference import CLOSES, TORN, Difference, Verified
from falgate.money.duplicates import DuplicateFilter
from falgate.money.entry import Close, read
from falgate.money.store.entries import Entries
from falgate.money.store.torn import Torn
from falgate.money.sums import COUNTERS, MEASURES, OVERAGE, Sums, is_recent, recent
from falgate.redis import keyspace, usage_keys
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_LOOK = Script("ledger_look")

_AT_ONCE = 25
_DAYS_AT_ONCE = 10
_ARCHIVES_MAX = 3
_HOLDING = frozenset({"reserved", "submitting", "accepted"})


class _ArchivedMeanwhile(Exception):
    """Entries that the sums should contain were archived in the meantime."""


async def verify(redis: Redis, upstream: str, *, rest_ms: int = 0) -> Verified:
    """Add up the ledger and compare it with the counters.

    Args:
        redis: The client.
        upstream: Whose ledger.
        rest_ms: Pause after every page of entries, in milliseconds, for other work of the process.

    Raises:
        EntryStrange: An entry cannot be read.
        Unavailable: Without Redis, or while entries are archived.
    """
    for _ in range(_ARCHIVES_MAX):
        try:
            return await _Verification(redis, upstream, rest_ms).run()
        except _ArchivedMeanwhile:
            continue
    raise Unavailable("The ledger is being archived; verify it again later")


class _Look(msgspec.Struct, frozen=True):
    """What one transaction read: the last entry, the jobs that hold money, and some hashes."""

    last: str
    holds: Sequence[tuple[str, int, str, tuple[str, ...]]]
    hashes: Sequence[Mapping[str, str]]


class _Verification:
    def __init__(self, redis: Redis, upstream: str, rest_ms: int) -> None:
        self._redis = redis
        self._rest_ms = rest_ms
        self._upstream = upstream
        self._entries = Entries(redis)
        self._once = DuplicateFilter()
        self._counted = 0
        self._last = "0-0"
        self._archived = ""

    async def run(self) -> Verified:
        self._sums = Sums(recent(await now_ms(self._redis)))
        opening: Any = await self._redis.hgetall(keyspace.opening(self._upstream))
        self._archived = opening.get("archived", "")
        # After a torn archive run, entries may still be there that the opening balances include.
        self._last = self._archived or "0-0"
        self._sums.open(opening)
        await self._add_up("+")
        differences: list[Difference] = []
        names = await self._names()
        for start in range(0, len(names), _AT_ONCE):
            differences += await self._accounts(names[start : start + _AT_ONCE])
        differences += await self._overage()
        differences += await self._days()
        differences += await self._closed_twice()
        differences += await self._torn()
        found = tuple(differences)
        return Verified(entries=self._counted, accounts=len(names), differences=found)

    async def _add_up(self, until: str) -> None:
        async for page in self._entries.pages(self._upstream, after=self._last, until=until):
            for entry, fields in page:
                posted = read(entry, fields)
                self._sums.add(posted)
                if isinstance(posted, Close):
                    self._once.add(posted.job)
            self._counted += len(page)
            self._last = page[-1][0]
            await self._rest()

    async def _rest(self) -> None:
        """Pause, so that a gateway continues to answer while it verifies."""
        await asyncio.sleep(self._rest_ms / 1000)

    async def _names(self) -> list[str]:
        known: Any = await self._redis.smembers(keyspace.accounts(self._upstream))
        return sorted({*known, *self._sums.accounts})

    async def _accounts(self, names: Sequence[str]) -> list[Difference]:
        keys = [keyspace.account(self._upstream, account(name)) for name in names]
        look = await self._look(keys)
        # Counters of old windows may have been swept in the meantime.
        since = recent(await now_ms(self._redis))
        found: list[Difference] = []
        for key, name, counters in zip(keys, names, look.hashes, strict=True):
            must = Counter(self._sums.accounts.get(name, {}))
            for holder, amount, state, windows in look.holds:
                if key in holder.split(" "):
                    must["open"] += 1
                    must["waiting"] += amount if state == "reserved" else 0
                    for window in windows:
                        must[f"held:{window}"] += amount
            for field in sorted({*counters, *must}):
                counter, _, window = field.partition(":")
                if counter not in {*COUNTERS, "held", "open", "waiting"}:
                    continue
                if counter in COUNTERS and not is_recent(window, since):
                    continue
                found += _compared(name, window, counter, counters.get(field), must[field])
        return found

    async def _overage(self) -> list[Difference]:
        look = await self._look([keyspace.overage(self._upstream)])
        return list(
            _compared(OVERAGE, "", "overrun", look.hashes[0].get("overrun"), self._sums.overage)
        )

    async def _days(self) -> list[Difference]:
        """Compare the roll-ups of the days whose entries are all still in the ledger.

        Days with open jobs and the current day may have measures without any entry.
        """
        whole_from = _day_after(self._archived)
        holds = (await self._look([])).holds
        empty = {
            window.removeprefix("day:")
            for _, _, _, windows in holds
            for window in windows
            if window.startswith("day:")
        }
        empty |= set(_days_around(await now_ms(self._redis)))
        days = sorted(day for day in {*self._sums.usage, *empty} if day >= whole_from)
        found: list[Difference] = []
        for start in range(0, len(days), _DAYS_AT_ONCE):
            asked = days[start : start + _DAYS_AT_ONCE]
            look = await self._look([usage_keys.usage(self._upstream, day) for day in asked])
            for day, measures in zip(asked, look.hashes, strict=True):
                must = self._sums.usage[day]
                for field in sorted({*measures, *must}):
                    whose, _, measure = field.rpartition(":")
                    if measure in MEASURES:
                        has = measures.get(field)
                        found += _compared(whose, f"day:{day}", measure, has, must[field])
        return found

    async def _torn(self) -> list[Difference]:
        begun = await Torn(self._redis, self._upstream).begun()
        return [
            Difference(account=each, window=what, counter=TORN, found=1, ledger=0)
            for each, what in sorted(begun.items())
        ]

    async def _closed_twice(self) -> list[Difference]:
        """Return the jobs that were closed more than once: suspects, counted exactly."""
        if not self._once.suspects:
            return []
        closes: Counter[str] = Counter()
        async for page in self._entries.pages(self._upstream):
            for _, fields in page:
                if fields["kind"] == "close" and fields["job"] in self._once.suspects:
                    closes[fields["job"]] += 1
            await self._rest()
        twice = sorted(job for job, number in closes.items() if number > 1)
        return [
            Difference(account=job, window="", counter=CLOSES, found=closes[job], ledger=1)
            for job in twice
        ]

    async def _look(self, hashes: Sequence[str]) -> _Look:
        """Read some hashes and all holds as of one entry, and extend the sums to that entry."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            _LOOK.queue(
                pipeline,
                upstream=self._upstream,
                job_prefix=keyspace.job(""),
            )
            for key in hashes:
                pipeline.hgetall(key)
            (last, archived, *jobs), *found = await pipeline.execute()
        if archived != self._archived:
            raise _ArchivedMeanwhile
        await self._add_up(last)
        return _Look(last, list(_holds(jobs)), found)


def _day_after(archived: str) -> str:
    """Return the first local day, in any zone, without entries up to this one; "" for every day."""
    if not archived:
        return ""
    last = datetime.fromtimestamp(int(archived.partition("-")[0]) / 1000, UTC)
    return (last + timedelta(days=2)).date().isoformat()


def _days_around(now_ms: int) -> Iterator[str]:
    """Yield the current local day, whatever the zone, and the day before."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    for behind in (-1, 0, 1, 2):
        yield (today - timedelta(days=behind)).isoformat()


def _holds(jobs: Iterable[Any]) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
    for accounts, held, state, windows in jobs:
        if state in _HOLDING:
            yield accounts, int(held), state, tuple(windows.split(" "))


def _compared(
    account: str, window: str, counter: str, found: str | None, must: int
) -> Iterator[Difference]:
    if int(found or 0) != must:
        yield Difference(
            account=account, window=window, counter=counter, found=int(found or 0), ledger=must
        )

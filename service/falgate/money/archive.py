"""Archiving: old ledger entries move into files, and only their sums stay in Redis.

A batch is the ledger's first entries of one UTC day, at most 10,000, so the ledger's first entry
determines it. If a run fails between writing the file and removing the entries, the next run writes
the identical file again. The file is read back before any entry is removed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from falgate.core.money import Micros
from falgate.core.problems import Problem
from falgate.money.entry import read
from falgate.money.sums import Sums, recent
from falgate.redis.retry import every

BATCH = 10_000
_DAY_MS = 86_400_000
_EVERY_S = 3_600.0
_LEASE_S = 600

Raw = tuple[str, dict[str, str]]


class Old(Protocol):
    """Old entries and counters in Redis. Raises `Unavailable` without it, which loses nothing."""

    async def turn(self, upstream: str, lease_s: int) -> bool:
        """Return whether the caller may archive for `lease_s` seconds."""

    async def left(self, upstream: str) -> None:
        """Release the lease."""

    async def first(self, upstream: str, number: int) -> list[Raw]:
        """Return up to `number` of the ledger's first entries, oldest first."""

    async def take_out(
        self, upstream: str, batch: Sequence[Raw], sums: Mapping[str, Micros]
    ) -> bool:
        """Remove archived entries and keep their sums; False if that was done before."""

    async def sweep(self, upstream: str) -> int:
        """Delete the counters of windows that closed long ago; return how many windows."""

    async def now_ms(self) -> int:
        """Return Redis's time, in milliseconds since 1970."""


class Files(Protocol):
    """The archive's file storage. Raises `StoreUnavailable` if it does not answer."""

    async def put(self, upstream: str, name: str, lines: bytes) -> str:
        """Write lines of JSON and read them back; return their path."""


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """An archive file.

    Attributes:
        path: Path in the picture store.
        entries: Number of entries.
    """

    path: str
    entries: int


class Archivist:
    """Archives entries that are older than the retention period."""

    def __init__(self, old: Old, files: Files, upstreams: Sequence[str], *, kept_days: int) -> None:
        """Keep entries for `kept_days` whole days, UTC, before today."""
        self._old = old
        self._files = files
        self._upstreams = upstreams
        self._kept_days = kept_days

    async def run(self) -> None:
        """Archive periodically until cancelled."""
        await every(_EVERY_S, self._archive_all)

    async def _archive_all(self) -> None:
        for upstream in self._upstreams:
            # An entry that cannot be read stays in the ledger, and verification reports it.
            with suppress(Problem):
                await self.archive(upstream)

    async def archive(self, upstream: str) -> list[Archived] | None:
        """Archive everything that is due; return None if another instance is archiving.

        Raises:
            EntryStrange: An entry cannot be read; it stays in the ledger.
            Unavailable: Without Redis or the picture store. What was archived so far stays
                archived.
        """
        done: list[Archived] = []
        while await self._old.turn(upstream, _LEASE_S):
            batch = await self._batch(upstream)
            if not batch:
                await self._old.sweep(upstream)
                await self._old.left(upstream)
                return done
            lines = b"".join(
                msgspec.json.encode({"entry": entry, **fields}) + b"\n" for entry, fields in batch
            )
            path = await self._files.put(upstream, f"{batch[0][0]}-{batch[-1][0]}", lines)
            sums = Sums(recent(await self._old.now_ms()))
            for entry, fields in batch:
                sums.add(read(entry, fields))
            if await self._old.take_out(upstream, batch, dict(sums.balances())):
                done.append(Archived(path=path, entries=len(batch)))
        return None

    async def _batch(self, upstream: str) -> list[Raw]:
        first = await self._old.first(upstream, BATCH)
        if not first:
            return []
        day = _day(first[0][0])
        today = await self._old.now_ms() // _DAY_MS
        if day >= today - self._kept_days:
            return []
        return [each for each in first if _day(each[0]) == day]


def _day(entry: str) -> int:
    return int(entry.partition("-")[0]) // _DAY_MS

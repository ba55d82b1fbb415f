"""Retention: old entries of the ledger go into files, and what they come to stays behind.

A batch is the ledger's first entries of one day, at most 10,000. So it depends on the first entry
alone: a run that broke off between the file and the removal is followed by one that writes the very
same file again. The file is read back before anything is removed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from falgate.core.errors import Unavailable
from falgate.core.money import Micros
from falgate.core.problems import Problem
from falgate.money.entry import read
from falgate.money.sums import Sums, recent

BATCH = 10_000
_DAY_MS = 86_400_000
_EVERY_S = 3_600.0
_LEASE_S = 600

Raw = tuple[str, dict[str, str]]


class Old(Protocol):
    """Old entries and counters in Redis. Without it: `Unavailable`; nothing is lost by that."""

    async def turn(self, upstream: str, lease_s: int) -> bool:
        """Whether the archive is the caller's for so long."""

    async def left(self, upstream: str) -> None:
        """Let another instance have it."""

    async def first(self, upstream: str, number: int) -> list[Raw]:
        """The ledger's first entries, so many at most, the oldest first."""

    async def take_out(
        self, upstream: str, batch: Sequence[Raw], sums: Mapping[str, Micros]
    ) -> bool:
        """Remove entries that an archive has, and keep what they come to; False: it was done."""

    async def sweep(self, upstream: str) -> int:
        """Forget counters of windows that closed long ago."""

    async def now_ms(self) -> int:
        """Redis's clock."""


class Files(Protocol):
    """Where archives are kept. When that cannot be asked: `StoreUnavailable`."""

    async def put(self, upstream: str, name: str, lines: bytes) -> str:
        """Keep lines of JSON, and read them back; where they are."""


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        path: In the picture store.
        entries: How many are in it.
    """

    path: str
    entries: int


class Archivist:
    """Archives what is older than the retention."""

    def __init__(self, old: Old, files: Files, upstreams: Sequence[str], *, kept_days: int) -> None:
        """Keep entries for so many whole days, UTC, before today."""
        self._old = old
        self._files = files
        self._upstreams = upstreams
        self._kept_days = kept_days

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                for upstream in self._upstreams:
                    await self.archive(upstream)
            except (Problem, Unavailable):
                # An entry that cannot be read stays where it is, and verifying names it. Without
                # Redis or the picture store there is no hurry: the next look does it.
                pass
            await asyncio.sleep(_EVERY_S)

    async def archive(self, upstream: str) -> list[Archived] | None:
        """Do all that is due now; None when another instance is at it.

        Raises:
            EntryStrange: There is an entry that cannot be read, and it stays where it is.
            Unavailable: Without Redis or the picture store. What was done so far stays done.
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

"""Uses: which pictures were handed out, counted here and told to Redis in batches."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.picture import Picture

EVERY_S = 1.0
"""After a crash, what was handed out in the last second is not known to have been."""
_AT_ONCE = 200
_KEPT_MAX = 100_000


class AccessBook(Protocol):
    """Where uses are told."""

    async def use(self, uses: "Counter[str]") -> None:
        """Count how often pictures were handed out, by name."""

    async def now_ms(self) -> int:
        """Redis's clock."""


class Keeping(Protocol):
    """Pools whose pictures may be kept for longer."""

    async def keep(
        self, fingerprint: str, hashes: Collection[str], until_s: int, *, pinned: bool = False
    ) -> int:
        """Hand these pictures of a pool out until then."""


class AccessCounter:
    """Counts what this process hands out."""

    def __init__(self, book: AccessBook, pools: Keeping, *, sliding_s: int = 0) -> None:
        """Tell `book`; with `sliding_s`, also keep in `pools` for so long what was used."""
        self._book = book
        self._pools = pools
        self._sliding_s = sliding_s
        self._uses: Counter[str] = Counter()
        self._pooled: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, fingerprint: str, pictures: Sequence[Picture]) -> None:
        """These were handed out of that pool."""
        if len(self._uses) >= _KEPT_MAX:  # without Redis for long: memory is worth more
            return
        self._uses.update(picture.name for picture in pictures)
        if self._sliding_s:
            self._pooled[fingerprint].update(picture.sha256 for picture in pictures)

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            with suppress(Unavailable):
                await self.flush()

    async def flush(self) -> None:
        """Tell what was counted so far; what cannot be told is told later.

        Raises:
            Unavailable: Without Redis.
        """
        while self._uses:
            some = Counter(dict(self._uses.most_common(_AT_ONCE)))
            await self._book.use(some)
            self._uses -= some
        if self._pooled:
            until_s = await self._book.now_ms() // 1000 + self._sliding_s
            for fingerprint in list(self._pooled):
                await self._pools.keep(fingerprint, self._pooled[fingerprint], until_s)
                del self._pooled[fingerprint]

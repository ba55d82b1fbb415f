"""Access counts: served pictures are counted in memory and reported to Redis in batches."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice

from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.pictures.store.catalogue import Catalogue
from falgate.redis.retry import every

EVERY_S = 0.1
"""Flush interval. A crash loses the counts since the last flush."""
_AT_ONCE = 200
_KEPT_MAX = 100_000


class AccessCounter:
    """Counts the pictures that this process serves."""

    def __init__(self, catalogue: Catalogue, pools: Pools, *, sliding_s: int = 0) -> None:
        """Report to `catalogue`; a use also sets the expiry to `sliding_s` from now, unless 0."""
        self._catalogue = catalogue
        self._pools = pools
        self._sliding_s = sliding_s
        self._uses: Counter[tuple[str, str]] = Counter()
        self._pooled: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, fingerprint: str, pictures: Sequence[Picture], app: str, number: int = 1) -> None:
        """Count these pictures as served from a pool to an app, once or several times."""
        if len(self._uses) >= _KEPT_MAX:  # Redis has been away for long: bound the memory
            return
        for picture in pictures:
            self._uses[picture.name, app] += number
        if self._sliding_s:
            self._pooled[fingerprint].update(picture.sha256 for picture in pictures)

    async def run(self) -> None:
        """Flush in intervals until cancelled."""
        await every(EVERY_S, self.flush)

    async def flush(self) -> None:
        """Report the counts so far; what fails is kept for the next flush.

        Raises:
            Unavailable: Without Redis.
        """
        while self._uses:
            some = Counter(dict(islice(self._uses.items(), _AT_ONCE)))
            await self._catalogue.use(some)
            self._uses -= some
        if self._pooled:
            until_s = await self._catalogue.now_ms() // 1000 + self._sliding_s
            for fingerprint in list(self._pooled):
                await self._pools.keep(fingerprint, self._pooled[fingerprint], until_s)
                del self._pooled[fingerprint]

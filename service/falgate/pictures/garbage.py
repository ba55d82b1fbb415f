"""Garbage collection: pictures in no pool, and records of pools that are gone or unreachable."""

from collections.abc import Mapping, Sequence

from falgate.cache.fingerprint import version
from falgate.cache.pool_info import PoolInfo
from falgate.cache.store.pools import Pools
from falgate.core.picture import Pool
from falgate.models.spec import ModelSpec
from falgate.pictures.catalogue import Record
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.store.catalogue import Catalogue


class GarbageCollector:
    """Removes unreferenced pictures and pools from the catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        pools: Pools,
        deleter: PictureDeleter,
        models: Mapping[str, ModelSpec],
    ) -> None:
        """Collect garbage; pools of models or model versions not in `models` are unreachable."""
        self._catalogue = catalogue
        self._pools = pools
        self._deleter = deleter
        self._models = models

    async def pictures(self, names: Sequence[str], *, unused_ms: int, noted_ms: int) -> int:
        """Delete the unreferenced pictures of a page of the catalogue; return how many.

        A picture stays if a reachable pool has it, if it was served after `unused_ms`, or if it was
        stored after `noted_ms`.

        Raises:
            Unavailable: Without Redis or the store.
        """
        records = [
            record
            for record in await self._catalogue.records(names)
            if record is not None and record.idle(unused_ms, noted_ms)
        ]
        referred = await self._referred(records)
        stray = [record for record in records if record.name not in referred]
        return len(await self._deleter.remove(stray, unused_ms=unused_ms, noted_ms=noted_ms))

    async def _referred(self, records: Sequence[Record]) -> set[str]:
        """Return the names of the pictures that a reachable pool still serves."""
        fingerprints = list(dict.fromkeys(f for record in records for f in record.pools))
        if not fingerprints:
            return set()
        pools = dict(zip(fingerprints, await self._pools.read_all(fingerprints), strict=True))
        pool_infos = await self._catalogue.pool_infos(fingerprints)
        reached = {
            fingerprint
            for fingerprint, (about, _) in zip(fingerprints, pool_infos, strict=True)
            if self._reachable(about)
        }
        return {
            record.name
            for record in records
            if any(
                fingerprint in reached and _has(pools[fingerprint], record.sha256)
                for fingerprint in record.pools
            )
        }

    async def pools(self, fingerprints: Sequence[str], *, unused_ms: int) -> int:
        """Delete the records of pools that are empty, expired or unreachable; return how many.

        A pool with a purchase after `unused_ms` is left alone: an instance of the previous version
        may still serve it.

        Raises:
            Unavailable: Without Redis.
        """
        if not fingerprints:
            return 0
        dropped = 0
        pools = await self._pools.read_all(fingerprints)
        pool_infos = await self._catalogue.pool_infos(fingerprints)
        for fingerprint, pool, (about, apps) in zip(fingerprints, pools, pool_infos, strict=True):
            if max(apps.values(), default=0) > unused_ms:
                continue
            fresh = any(picture.fresh(pool.read_s) for picture in pool.pictures)
            if fresh and self._reachable(about):
                continue
            if pool.pictures:
                await self._pools.empty(fingerprint)
            await self._catalogue.drop_pool(fingerprint)
            dropped += 1
        return dropped

    def _reachable(self, about: PoolInfo | None) -> bool:
        """Return whether a request to a model served now can reach that pool."""
        spec = self._models.get(about.endpoint) if about else None
        return spec is not None and about is not None and about.version == version(spec)


def _has(pool: Pool, sha256: str) -> bool:
    return any(picture.sha256 == sha256 and picture.fresh(pool.read_s) for picture in pool.pictures)

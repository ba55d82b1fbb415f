"""Reads pools together with what is known of them."""

from collections.abc import Sequence

from falgate.cache.store.pools import Pools
from falgate.pictures.catalogue import PoolRecord
from falgate.pictures.store.catalogue import Catalogue


async def pool_records(
    catalogue: Catalogue, pools: Pools, fingerprints: Sequence[str]
) -> list[PoolRecord]:
    """Return pools with their pictures and metadata; those that are gone are empty.

    Raises:
        Unavailable: Without Redis.
    """
    if not fingerprints:
        return []
    found = await pools.read_all(fingerprints)
    pool_infos = await catalogue.pool_infos(fingerprints)
    return [
        PoolRecord(
            fingerprint=fingerprint,
            about=about,
            apps=tuple(sorted(apps)),
            bought_ms=max(apps.values(), default=0),
            pool=pool,
        )
        for fingerprint, pool, (about, apps) in zip(fingerprints, found, pool_infos, strict=True)
    ]

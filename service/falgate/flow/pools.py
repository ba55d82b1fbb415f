"""A pool as it may be used: without pictures that the store has lost."""

import asyncio

from falgate.core.events import Doubted
from falgate.core.picture import Pool
from falgate.flow.ports import Ports


async def usable(ports: Ports, fingerprint: str, wanted: int) -> Pool:
    """A pool, of whose first pictures `wanted` are sure to be there: lost ones are bought again.

    Raises:
        Unavailable: Without Redis or the store.
    """
    pool = await ports.pools.read(fingerprint)
    asked = pool.pictures[:wanted]
    there = await asyncio.gather(*(ports.pictures.has(picture) for picture in asked))
    if all(there):
        return pool
    lost = {picture.name for picture, found in zip(asked, there, strict=True) if not found}
    for name in lost:
        ports.facts.doubted(Doubted(what="lost_picture", job="", detail=name))
    left = tuple(picture for picture in pool.pictures if picture.name not in lost)
    await ports.pools.replace(fingerprint, pool, left)
    return await usable(ports, fingerprint, wanted)

"""A pool as a request may use it: without what is too old for it, or lost by the store."""

import asyncio
from collections.abc import Sequence

import msgspec

from falgate.core.caching import Treatment
from falgate.core.events import Doubted
from falgate.core.job import Why
from falgate.core.picture import Picture, Pool
from falgate.flow.ports import Pictures, Pools, Ports


class Usable(msgspec.Struct, frozen=True):
    """What there is for a request.

    Attributes:
        pool: As it was read, with what the request does not get.
        pictures: Those that it may get, of which the first `wanted` are sure to be there.
    """

    pool: Pool
    pictures: tuple[Picture, ...] = ()

    @property
    def why(self) -> Why:
        """Why there are not more."""
        if self.pictures:
            return "partial"
        young = any(picture.fresh(self.pool.read_s) for picture in self.pool.pictures)
        return "request" if young else "miss"


async def look(
    pools: Pools, pictures: Pictures, fingerprint: str, wanted: int, treatment: Treatment
) -> tuple[Usable, list[Picture]]:
    """What a pool has for a request, and which of it the store has lost.

    Raises:
        Unavailable: Without Redis or the store.
    """
    pool = await pools.read(fingerprint)
    found = [
        picture
        for picture in pool.pictures
        if picture.fresh(pool.read_s) and treatment.admits(picture, pool.read_s)
    ]
    lost = await missing(pictures, found[:wanted])
    return Usable(pool, tuple(picture for picture in found if picture not in lost)), lost


async def usable(ports: Ports, fingerprint: str, wanted: int, treatment: Treatment) -> Usable:
    """What a pool has for a request. Lost pictures are taken out, so that they are bought again.

    Raises:
        Unavailable: Without Redis or the store.
    """
    while True:
        found, lost = await look(ports.pools, ports.pictures, fingerprint, wanted, treatment)
        if not lost:
            return found
        for picture in lost:
            ports.facts.doubted(Doubted(what="lost_picture", job="", detail=picture.name))
        await ports.pools.remove(fingerprint, {picture.sha256 for picture in lost})


async def missing(store: Pictures, pictures: Sequence[Picture]) -> list[Picture]:
    """Those that the store does not have (any more).

    Raises:
        Unavailable: Without the store.
    """
    there = await asyncio.gather(*(store.has(picture) for picture in pictures))
    return [picture for picture, found in zip(pictures, there, strict=True) if not found]

"""The part of a pool that a request may use: pictures young enough for it, and still stored."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from falgate.cache.policy import EffectivePolicy
from falgate.core.events import Anomaly
from falgate.core.picture import Picture, Pool
from falgate.jobs.job import Why
from falgate.jobs.ports import Pools, Ports
from falgate.pictures.ports import Pictures

Pick = Callable[[Sequence[Picture]], Awaitable[Sequence[Picture]]]
"""Returns those of the pictures that a request gets, in their order, and no more than it wants."""


class Usable(msgspec.Struct, frozen=True):
    """What a pool has for a request.

    Attributes:
        pool: As it was read, including what the request may not use.
        pictures: What it may use; the first `wanted` of them are known to be stored.
    """

    pool: Pool
    pictures: tuple[Picture, ...] = ()

    @property
    def why(self) -> Why:
        """Return why there are not more."""
        if self.pictures:
            return "partial"
        young = any(picture.fresh(self.pool.read_s) for picture in self.pool.pictures)
        return "request" if young else "miss"


async def look(  # noqa: PLR0917 - one more than usual, which most leave out
    pools: Pools,
    pictures: Pictures,
    fingerprint: str,
    wanted: int,
    treatment: EffectivePolicy,
    pick: Pick | None = None,
) -> tuple[Usable, list[Picture]]:
    """Return what a pool has for a request, and which of its pictures the store has lost.

    Args:
        pools: The pools.
        pictures: The store.
        fingerprint: Of the pool.
        wanted: How many pictures are wanted.
        treatment: Decides which of them the request may have.
        pick: Leaves out pictures of other requests; None leaves out nothing.

    Raises:
        Unavailable: Without Redis or the store.
    """
    pool = await pools.read(fingerprint)
    found = [
        picture
        for picture in pool.pictures
        if picture.fresh(pool.read_s) and treatment.allows(picture, pool.read_s)
    ]
    found = list(await pick(found)) if pick else found
    lost = await missing(pictures, found[:wanted])
    return Usable(pool, tuple(picture for picture in found if picture not in lost)), lost


async def usable(
    ports: Ports,
    fingerprint: str,
    wanted: int,
    treatment: EffectivePolicy,
    pick: Pick | None = None,
) -> Usable:
    """Return what a pool has for a request; lost pictures are removed and so bought again.

    The arguments are those of `look`.

    Raises:
        Unavailable: Without Redis or the store.
    """
    while True:
        found, lost = await look(ports.pools, ports.pictures, fingerprint, wanted, treatment, pick)
        if not lost:
            return found
        for picture in lost:
            ports.facts.doubted(Anomaly(what="lost_picture", job="", detail=picture.name))
        await ports.pools.remove(fingerprint, {picture.sha256 for picture in lost})


async def missing(store: Pictures, pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures that the store does not have.

    Raises:
        Unavailable: Without the store.
    """
    there = await asyncio.gather(*(store.has(picture) for picture in pictures))
    return [picture for picture, found in zip(pictures, there, strict=True) if not found]

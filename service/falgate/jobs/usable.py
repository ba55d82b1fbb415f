"""A pool as a request may use it: without what is too old for it, or lost by the store."""

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
"""Which of the pictures that are there are for a request; in their order, no more than wanted."""


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


async def look(  # noqa: PLR0917 - one more than usual, which most leave out
    pools: Pools,
    pictures: Pictures,
    fingerprint: str,
    wanted: int,
    treatment: EffectivePolicy,
    pick: Pick | None = None,
) -> tuple[Usable, list[Picture]]:
    """What a pool has for a request, and which of it the store has lost.

    Args:
        pools: The pools.
        pictures: The store.
        fingerprint: Of the pool.
        wanted: How many pictures are wanted.
        treatment: Which of them the request may have.
        pick: Leaves out what others have; None: nothing is.

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
    """What a pool has for a request. Lost pictures are taken out, so that they are bought again.

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
    """Those that the store does not have (any more).

    Raises:
        Unavailable: Without the store.
    """
    there = await asyncio.gather(*(store.has(picture) for picture in pictures))
    return [picture for picture, found in zip(pictures, there, strict=True) if not found]

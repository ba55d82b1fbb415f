"""Cache lookup: reads the pool of a request and decides which pictures the request gets."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from falgate.cache.decision import Decision, available, decide
from falgate.cache.request import PictureRequest
from falgate.core.picture import Picture, Pool

Pick = Callable[[Sequence[Picture]], Awaitable[Sequence[Picture]]]
"""Returns those of the pictures that a request gets, in their order, and no more than it wants."""


class PoolReader(Protocol):
    """Pools. An unreadable pool is an error: if it counted as empty, it would be bought again."""

    async def read(self, fingerprint: str) -> Pool:
        """Return a pool; an empty one if there is none; raises `Unavailable` without Redis."""


async def look_up(pools: PoolReader, request: PictureRequest, pick: Pick | None = None) -> Decision:
    """Decide what a request gets from its pool as it is now.

    Args:
        pools: The pools.
        request: What is wanted.
        pick: Leaves out pictures of other open requests; None leaves out nothing.

    Raises:
        Unavailable: Without Redis.
    """
    policy = request.treatment
    pool = await pools.read(request.fingerprint)
    picked = await pick(available(pool, policy)) if pick and not policy.fresh else None
    return decide(pool, policy, request.wanted, picked, whole=request.whole)

"""The decision about a request: which pictures of its pool it gets, and how many are missing."""

# Every route decides here: run and queue before they buy, quote without buying. The picture store
# is not asked. That a picture of a pool is stored is kept true by others: it is stored before it
# enters the pool, its deletion takes it out of the pool before its file goes (`pictures/deletion`),
# and a file that was lost is noticed by spot checks (`pictures/maintenance`) and by the first
# request for it (`pictures/repair`), which take it out of its pools.

from collections.abc import Sequence
from math import inf
from typing import Literal

import msgspec

from falgate.cache.policy import EffectivePolicy
from falgate.core.events import Source
from falgate.core.picture import Picture, Pool

Why = Literal["miss", "partial", "request"]
"""Why a purchase is needed, in the words of RFC 9211 section 2.2: the pool is empty, it has too
few pictures, or the request does not accept the pictures that it has."""


class Decision(msgspec.Struct, frozen=True):
    """What a request gets from its pool.

    Attributes:
        pool: As it was read, including what the request may not use.
        pictures: All that the request may use, in the order in which they were bought; may be more
            than are wanted.
        wanted: Number of pictures that are wanted.
        fresh: Whether the request needs new pictures, whatever the pool has.
    """

    pool: Pool
    pictures: tuple[Picture, ...]
    wanted: int
    fresh: bool = False

    @property
    def handed_out(self) -> tuple[Picture, ...]:
        """Return the pictures that the request gets, at most as many as are wanted."""
        return self.pictures[: self.wanted]

    @property
    def missing(self) -> int:
        """Return how many pictures have to be bought or converted; 0 for a hit."""
        return max(0, self.wanted - len(self.pictures))

    def until_s(self, policy: EffectivePolicy) -> float:
        """Return until when a hit stays the same while its pool does, in Redis's seconds.

        Time only takes pictures away, and a hit takes the first ones that there are.
        """
        return min((policy.ends_s(picture) for picture in self.handed_out), default=inf)

    @property
    def source(self) -> Source:
        """Return how the request would be served if what is missing were bought now."""
        if self.fresh:
            return "bypass"
        if self.missing:
            return "partial" if self.pictures else "miss"
        return "derived" if any(picture.master for picture in self.handed_out) else "hit"

    @property
    def why(self) -> Why:
        """Return why anything is missing."""
        if self.fresh:
            return "request"
        if self.pictures:
            return "partial"
        young = any(picture.fresh(self.pool.read_s) for picture in self.pool.pictures)
        return "request" if young else "miss"


def decide(
    pool: Pool,
    policy: EffectivePolicy,
    wanted: int,
    picked: Sequence[Picture] | None = None,
    *,
    whole: bool = False,
) -> Decision:
    """Decide which pictures of a pool a request gets.

    Args:
        pool: As it was read; its `read_s` is the time of the decision.
        policy: The effective cache policy of the request.
        wanted: Number of pictures that are wanted.
        picked: Those of the `available` pictures that no other open request has, for a request that
            gets pictures of its own; None for any other.
        whole: Whether its pictures have to be of one purchase, because the rest of them would be
            the first ones again.
    """
    if policy.fresh:
        # A request for new pictures uses none of the pool's, even if it may not buy any.
        return Decision(pool, (), wanted, fresh=True)
    found = available(pool, policy) if picked is None else tuple(picked)
    if whole and 0 < len(found) < wanted:
        return Decision(pool, (), wanted, fresh=True)
    return Decision(pool, found, wanted)


def available(pool: Pool, policy: EffectivePolicy) -> tuple[Picture, ...]:
    """Return the pictures that have not expired and that the policy allows, in the pool's order."""
    return tuple(picture for picture in pool.pictures if policy.allows(picture, pool.read_s))

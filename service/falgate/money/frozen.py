"""A ledger on which buying is frozen: why, and what an operator does about it."""

import msgspec

from falgate.core.errors import Unavailable

LOST = "lost"
"""Redis may have lost what it acknowledged: fal's own books have to be read."""

COUNTERS = "counters"
"""Counters are not what the ledger's entries and the open jobs say."""


class Frozen(msgspec.Struct, frozen=True):
    """Nothing is bought until an operator has looked.

    Attributes:
        why: `LOST`, `COUNTERS` or both, by a blank.
        since_ms: Redis's time.
    """

    why: str = LOST
    since_ms: int = 0

    @property
    def lost(self) -> bool:
        """Whether there may be purchases that the ledger does not know."""
        return LOST in self.why.split(" ")

    def refusal(self) -> Unavailable:
        """What callers hear."""
        words = "Redis may have lost its last second"
        if not self.lost:
            words = "counters of the ledger differ from its entries after a restart of Redis"
        return Unavailable(
            f"{words[0].upper()}{words[1:]}; nothing is bought until an operator has run `falgate "
            "ledger recover`",
            60,
        )

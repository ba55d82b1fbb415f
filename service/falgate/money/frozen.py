"""A frozen ledger: why purchases are stopped, and what the operator has to do."""

import msgspec

from falgate.core.errors import Unavailable

LOST = "lost"
"""Redis may have lost writes that it acknowledged, so fal's list of requests must be read."""

COUNTERS = "counters"
"""Counters differ from the sum of the ledger's entries and the open jobs."""


class Frozen(msgspec.Struct, frozen=True):
    """Purchases are stopped until an operator acts.

    Attributes:
        why: `LOST`, `COUNTERS` or both, separated by a space.
        since_ms: Redis's time, in milliseconds since 1970.
    """

    why: str = LOST
    since_ms: int = 0

    @property
    def lost(self) -> bool:
        """Whether there may be purchases that the ledger does not know."""
        return LOST in self.why.split(" ")

    def refusal(self) -> Unavailable:
        """Return the error that callers get."""
        words = "Redis may have lost its last second"
        if not self.lost:
            words = "counters of the ledger differ from its entries after a restart of Redis"
        return Unavailable(
            f"{words[0].upper()}{words[1:]}; purchases are stopped until an operator runs `falgate "
            "ledger recover`",
            60,
        )

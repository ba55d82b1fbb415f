"""What came of verifying a ledger."""

import msgspec

UNREADABLE = -1
"""In the place of a number of differences: the ledger has an entry that cannot be read."""


class VerificationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of verifying the books.

    Attributes:
        at_ms: When it was done, Redis time.
        differences: Counters that are not as the ledger says; `UNREADABLE` when it cannot be read.
    """

    at_ms: int
    differences: int

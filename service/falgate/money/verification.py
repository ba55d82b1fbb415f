"""The result of verifying a ledger, as it is stored."""

import msgspec

UNREADABLE = -1
"""Takes the place of the number of differences if an entry of the ledger cannot be read."""


class VerificationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying a ledger.

    Attributes:
        at_ms: When it was verified, Redis's time.
        differences: Number of counters that differ from the ledger; `UNREADABLE` if it cannot be
            read.
    """

    at_ms: int
    differences: int

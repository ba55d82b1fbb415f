"""Differences that a verification finds between counters and the ledger."""

import msgspec

TORN = "torn"
"""Takes a counter's place for an operation that was begun and never completed."""

CLOSES = "closes"
"""Takes a counter's place for the number of closing entries of a job."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A counter with a wrong value.

    Attributes:
        account: Its account, or "overage"; a job's id if a job was closed more than once or if its
            write was torn; "team/app" for a measure of the usage roll-ups.
        window: Name of the window; the kind of operation if it was torn; or "".
        counter: Its name.
        found: Its value in Redis, micro-USD or a count.
        ledger: The value that it must have.
    """

    account: str
    window: str
    counter: str
    found: int
    ledger: int

    @property
    def mendable(self) -> bool:
        """Whether recovery can correct it; a job that was closed twice needs a person."""
        return self.counter != CLOSES


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification.

    Attributes:
        entries: Number of entries that were added up.
        accounts: Number of accounts that were compared.
        differences: All differences.
    """

    entries: int
    accounts: int
    differences: tuple[Difference, ...]

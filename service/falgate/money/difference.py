"""What verifying a ledger finds: counters that are not what its entries and open jobs say."""

import msgspec

TORN = "torn"
"""In the place of a counter: something was begun and not brought to its end, in a torn file."""

CLOSES = "closes"
"""In the place of a counter: how often a job was closed."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A counter that is not what it has to be.

    Attributes:
        account: Whose; "house", a job's id for a job that was closed more than once or whose entry
            was torn, or "team/app" where a roll-up of the usage is meant.
        window: Name of the window, what was torn, or "".
        counter: Which one.
        found: What Redis holds, micro-USD or a number.
        ledger: What it has to be.
    """

    account: str
    window: str
    counter: str
    found: int
    ledger: int

    @property
    def mendable(self) -> bool:
        """Whether the ledger can set it right, and it is not an entry of its own."""
        return self.counter != CLOSES


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        entries: How many were added up.
        accounts: How many were compared.
        differences: All of them.
    """

    entries: int
    accounts: int
    differences: tuple[Difference, ...]

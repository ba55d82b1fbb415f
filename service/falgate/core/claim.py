"""What asking for a flight and a hold can be answered with: one value for each case."""

import msgspec

from falgate.core.budget import Account, Window
from falgate.core.money import Micros


class Held(msgspec.Struct, frozen=True):
    """The flight and the money are the caller's, under epoch 1."""


class Joined(msgspec.Struct, frozen=True):
    """Somebody else is buying for this fingerprint."""

    job: str


class Stale(msgspec.Struct, frozen=True):
    """A flight has published since the caller read the pool: read it again, then ask with these."""

    generation: int
    count: int


class Denied(msgspec.Struct, frozen=True):
    """A budget has no room. All in micro-USD."""

    account: Account
    window: Window
    limit: Micros
    spent: Micros
    held: Micros


class Unlimited(msgspec.Struct, frozen=True):
    """The organisation has no enforced budget, and without one nothing is bought."""


class HouseFull(msgspec.Struct, frozen=True):
    """Settlements exceeded their holds by as much as the house allows. Micro-USD."""

    limit: Micros
    overrun: Micros


class Unborn(msgspec.Struct, frozen=True):
    """The ledger in Redis is not the one that this instance started with."""


Verdict = Held | Joined | Stale | Denied | Unlimited | HouseFull | Unborn


class Seen(msgspec.Struct, frozen=True, order=True):
    """How much of a pool the caller knows: a flight that published more than this is news to it.

    Attributes:
        generation: Of the pool as read, or of a marker after which it was read again.
        count: Likewise.
    """

    generation: int = 0
    count: int = 0

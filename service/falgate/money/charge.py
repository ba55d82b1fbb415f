"""What a purchase comes to in our books."""

import msgspec

from falgate.core.money import Micros


class Charge(msgspec.Struct, frozen=True):
    """What a purchase comes to in our books, micro-USD.

    Attributes:
        billed: Charged to the budgets, never above what was held.
        overrun: Charged to the house: what is above.
    """

    billed: Micros
    overrun: Micros

    @property
    def total(self) -> Micros:
        """Both."""
        return self.billed + self.overrun


def charge(total: Micros, held: Micros) -> Charge:
    """Whom a bill of `total` for a hold of `held` is charged to: the same rule as at settlement."""
    billed = min(total, held)
    return Charge(billed, total - billed)

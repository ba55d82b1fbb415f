"""The charge for a purchase, divided between the budgets and the overage account."""

import msgspec

from falgate.core.money import Micros


class Charge(msgspec.Struct, frozen=True):
    """What a purchase is charged, in micro-USD.

    Attributes:
        billed: Charged to the budgets, never more than was held.
        overrun: Charged to the overage account: whatever exceeds the hold.
    """

    billed: Micros
    overrun: Micros

    @property
    def total(self) -> Micros:
        """What budgets and overage are charged together."""
        return self.billed + self.overrun


def charge(total: Micros, held: Micros) -> Charge:
    """Divide a bill of `total` for a hold of `held` by the same rule as at settlement.

    Budgets agreed to the hold and no more, so the overage account pays the excess.
    """
    billed = min(total, held)
    return Charge(billed, total - billed)

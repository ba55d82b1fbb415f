"""Budgets, and an account's position in each window."""

from typing import Annotated

import msgspec
from msgspec import Meta

from falgate.core.account import Account
from falgate.core.calendar import Window
from falgate.core.money import MICROS_MAX, Micros

# Spending is counted in all windows of all accounts, with or without a budget: five kinds of window
# on five accounts, so 25 counters per purchase. A budget that is set in the afternoon therefore
# includes what was spent in the morning. An account has at most one budget per kind of window: of
# two, only the lower one would ever matter.


class BudgetUnset(Exception):
    """The account has no budget of this kind."""


Percent = Annotated[int, Meta(ge=1, le=1000)]


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit on an account's spending in each window of one kind.

    Attributes:
        limit: Micro-USD; 0 refuses everything.
        shadow: Whether it only counts and alerts, and never refuses.
        alerts: Percentages of the limit, ascending; each alerts once per window.
    """

    limit: Annotated[Micros, Meta(ge=0, le=MICROS_MAX)]
    shadow: bool = False
    alerts: tuple[Percent, ...] = ()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """An account's position in one window, in micro-USD.

    Attributes:
        account: Whose spending is counted.
        window: The current window.
        budget: None if spending is counted but not limited.
        raised: Added to the limit for this window only.
        spent: What was settled, less what a reset forgave.
        held: Reserved for purchases under way.
    """

    account: Account
    window: Window
    budget: Budget | None
    raised: Micros
    spent: Micros
    held: Micros

    @property
    def limit(self) -> Micros | None:
        """The limit in force in this window; None without a budget."""
        return None if self.budget is None else self.budget.limit + self.raised

    @property
    def remaining(self) -> Micros | None:
        """Limit - spent - held, but at least 0; None without a budget."""
        limit = self.limit
        return None if limit is None else max(0, limit - self.spent - self.held)

    @property
    def enforced(self) -> bool:
        """Whether the budget can refuse a purchase."""
        return self.budget is not None and not self.budget.shadow


def tightest(positions: list[Position]) -> Position | None:
    """Return the enforced budget with the least remaining."""
    enforced = [position for position in positions if position.enforced]
    return min(enforced, key=lambda position: position.remaining or 0, default=None)

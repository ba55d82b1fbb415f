"""Budgets: whose spending is limited, and how much each window of it has left."""

from typing import Annotated

import msgspec
from msgspec import Meta

from falgate.core.account import Account
from falgate.core.calendar import Window
from falgate.core.money import MICROS_MAX, Micros


class BudgetUnset(Exception):
    """There is no such budget."""


Percent = Annotated[int, Meta(ge=1, le=1000)]


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit on one account's spending in each window of one kind.

    Attributes:
        limit: Micro-USD; 0 refuses everything.
        shadow: Counts and alerts, and refuses nothing.
        alerts: Percentages of the limit, ascending; each alerts once per window.
    """

    limit: Annotated[Micros, Meta(ge=0, le=MICROS_MAX)]
    shadow: bool = False
    alerts: tuple[Percent, ...] = ()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one account stands in one window, all in micro-USD.

    Attributes:
        account: Whose spending it is.
        window: The window of now.
        budget: None where the spending is only counted.
        raised: Added to the limit for this window only.
        spent: Settled, without what a reset forgave.
        held: Set aside for purchases under way.
    """

    account: Account
    window: Window
    budget: Budget | None
    raised: Micros
    spent: Micros
    held: Micros

    @property
    def limit(self) -> Micros | None:
        """In force in this window; None where there is no budget."""
        return None if self.budget is None else self.budget.limit + self.raised

    @property
    def remaining(self) -> Micros | None:
        """Limit - spent - held, never below 0; None where there is no budget."""
        limit = self.limit
        return None if limit is None else max(0, limit - self.spent - self.held)

    @property
    def enforced(self) -> bool:
        """Whether a purchase can be refused because of it."""
        return self.budget is not None and not self.budget.shadow


def tightest(positions: list[Position]) -> Position | None:
    """The enforced budget with the least left."""
    enforced = [position for position in positions if position.enforced]
    return min(enforced, key=lambda position: position.remaining or 0, default=None)

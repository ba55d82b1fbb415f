"""What budgets need of their records; each method raises `Unavailable` without Redis."""

from typing import Protocol

from falgate.core.account import Account
from falgate.core.calendar import Kind
from falgate.core.money import Micros
from falgate.money.budget import Budget, Position


class Books(Protocol):
    """Budgets, by upstream: whose books they are."""

    async def read(self, upstream: str, charged: Account, kind: Kind) -> Budget | None:
        """One budget, if there is one."""

    async def put(
        self,
        upstream: str,
        charged: Account,
        kind: Kind,
        *,
        was: Budget | None,
        now: Budget | None,
        who: str,
    ) -> bool:
        """Set or (with None) remove a budget that is as it `was`; writes the audit log."""

    async def raise_(
        self,
        upstream: str,
        charged: Account,
        kind: Kind,
        amount: Micros,
        *,
        change: str,
        who: str,
        why: str = "",
    ) -> None:
        """Add to a limit for the window of now, once for each `change`; raises `BudgetUnset`."""

    async def reset(
        self, upstream: str, charged: Account, kind: Kind, *, change: str, who: str, why: str = ""
    ) -> Micros:
        """Forgive what was spent in the window of now, once for each `change`."""

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """Where an account stands in each window of now."""

    async def knows(self, upstream: str, charged: Account) -> bool:
        """Whether an account was charged or limited."""

    async def accounts(self, upstream: str) -> list[Account]:
        """Every account that was charged or limited, by name."""

    async def limited(self, upstream: str) -> list[Account]:
        """Those of them that have a budget, by name."""

    async def house(self, upstream: str) -> tuple[Micros, Micros]:
        """The house's limit and what is used of it."""

    async def set_house(self, upstream: str, limit: Micros, who: str, why: str = "") -> None:
        """Set how much settlements may exceed their holds by; writes the audit log."""

"""Storage that budgets and stops need; each method raises `Unavailable` without Redis."""

from collections.abc import Collection, Sequence
from typing import Protocol

from falgate.core.account import Account
from falgate.core.calendar import Kind
from falgate.core.money import Micros
from falgate.money.budget import Budget, Position
from falgate.money.stop import Stop, Stopped


class StopStore(Protocol):
    """What operators stopped, for every upstream."""

    async def all(self) -> list[Stopped]:
        """Return every stop, by level, then by name."""

    async def read(self, of: Account) -> Stop | None:
        """Return a subject's stop, or None."""

    async def put(self, of: Account, was: Stop | None, now: Stop | None, who: str) -> bool:
        """Stop a subject or (with None) resume it, if its stop still equals `was`; audited."""


class BudgetStore(Protocol):
    """Budgets, by upstream: each upstream has a ledger of its own."""

    async def read(self, upstream: str, charged: Account, kind: Kind) -> Budget | None:
        """Return a budget, or None."""

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
        """Set or (with None) remove a budget, if it still equals `was`; write the audit log."""

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
        """Raise a limit for the current window, once per `change`; raises `BudgetUnset`."""

    async def reset(
        self, upstream: str, charged: Account, kind: Kind, *, change: str, who: str, why: str = ""
    ) -> Micros:
        """Forgive what was spent in the current window, once per `change`; return the amount."""

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """Return an account's position in each current window."""

    async def knows(self, upstream: str, charged: Account) -> bool:
        """Return whether an account was ever charged or limited."""

    async def accounts(self, upstream: str) -> list[Account]:
        """Return every account that was ever charged or limited, by name."""

    async def limited(
        self, upstream: str, start: str = "", number: int | None = None
    ) -> list[Account]:
        """Return accounts that have a budget, by name: up to `number`, from a name on."""

    async def having(self, upstream: str, accounts: Sequence[Account]) -> Collection[Account]:
        """Return those of the accounts that have a budget."""

    async def positions_of(
        self, upstream: str, accounts: Sequence[Account]
    ) -> list[list[Position]]:
        """Return the positions of each account in the current windows."""

    async def overage(self, upstream: str) -> tuple[Micros, Micros]:
        """Return the overage limit and how much of it is used."""

    async def set_overage(self, upstream: str, limit: Micros, who: str, why: str = "") -> None:
        """Set the limit on what settlements may exceed their holds by; write the audit log."""

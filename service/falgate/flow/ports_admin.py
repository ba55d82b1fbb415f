"""What operators change, as the flow sees it. Without Redis, every method raises `Unavailable`."""

from collections.abc import AsyncIterator
from typing import Protocol

from falgate.core.apikey import KeyRecord
from falgate.core.budget import Account, Budget, Position
from falgate.core.calendar import Kind
from falgate.core.change import Audited
from falgate.core.directory import App, Directory, Team
from falgate.core.money import Micros


class Records(Protocol):
    """Teams, apps and keys. Every put writes the audit log, and is False where it came too late."""

    async def directory(self) -> Directory:
        """Every team and app."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """One key, the time in seconds, and every team and app."""

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Keys of a "team" or "team/app" or of all, behind a place, so many; the oldest first."""

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Make, change or (with None) remove a team that is as it `was`."""

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Likewise an app, by "team/app"."""

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Likewise a key; keys are never removed."""

    def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """The audit log, the newest first, from just before an entry's id."""

    async def now_s(self) -> int:
        """The clock that decides, seconds since 1970."""


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

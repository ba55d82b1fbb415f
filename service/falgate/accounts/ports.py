"""Storage that accounts need; each method raises `Unavailable` without Redis."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Alias, App, Directory, Model, Team
from falgate.accounts.operator import OperatorRecord
from falgate.core.change import Audited


class OperatorRecords(Protocol):
    """Operators. A put is as those of `Records`."""

    async def get(self, operator_id: str) -> tuple[OperatorRecord | None, int]:
        """Return one operator, and the time in seconds since 1970."""

    async def all(self) -> list[OperatorRecord]:
        """Return all operators, oldest first."""

    async def put(self, was: OperatorRecord | None, now: OperatorRecord, who: str) -> bool:
        """Create or change an operator, if it still equals `was`; operators are never removed."""


class Records(Protocol):
    """Teams, apps, keys, operators, and what was decided about models.

    Every put writes the audit log, and returns False if the record was changed in the meantime.
    """

    @property
    def operators(self) -> OperatorRecords:
        """Return the operators."""

    async def directory(self) -> Directory:
        """Return all teams and apps, and what is known of models."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """Return one key, the time in seconds since 1970, and all teams and apps."""

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Return up to `number` keys of a team, "team/app" or all, after a place, oldest first."""

    async def places(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> Sequence[str]:
        """Return only the places of such keys."""

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Create, change or (with None) remove a team, if it still equals `was`."""

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Create, change or (with None) remove an app, "team/app", if it still equals `was`."""

    async def put_alias(self, name: str, was: Alias | None, now: Alias | None, who: str) -> bool:
        """Create, change or (with None) remove an alias, if it still equals `was`."""

    async def put_model(self, name: str, was: Model | None, now: Model | None, who: str) -> bool:
        """Decide something about a model, or (with None) forget it, if it still equals `was`."""

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Create or change a key, if it still equals `was`; keys are never removed."""

    def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """Iterate over the audit log from just before the entry `before`, newest first."""

    async def now_s(self) -> int:
        """Return the authoritative time, in seconds since 1970."""

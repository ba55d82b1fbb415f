"""A rehearsal: stores that take changes and write nothing, for what a change would do."""

# ruff: noqa: ARG002 - nobody acts here, and nobody is told why

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Alias, App, Directory, Model, Team
from falgate.accounts.operator import OperatorRecord
from falgate.accounts.ports import OperatorRecords, Records
from falgate.core.account import Account
from falgate.core.calendar import KINDS, Kind
from falgate.core.change import Audited
from falgate.core.money import Micros
from falgate.money.budget import Budget, BudgetUnset, Position
from falgate.money.ports import BudgetStore, StopStore
from falgate.money.stop import Stop, Stopped

Action = Literal[
    "team", "app", "model", "alias", "key", "operator", "budget", "raise", "reset", "stop",
    "overage",
]  # fmt: skip
_MAPS: Mapping[str, str] = {"team": "teams", "app": "apps", "model": "models", "alias": "aliases"}


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was not made.

    Attributes:
        action: As in the audit log.
        subject: Name of the record; of a budget, that of its account.
        before: The record as it is; None if there is none. Of a budget: its position. Of the
            overage account: its limit in micro-USD.
        after: Likewise, as it would be.
    """

    action: Action
    subject: str
    before: Any
    after: Any

    def __repr__(self) -> str:
        """Omit the records: those of keys have digests."""
        return f"Rehearsed({self.action} {self.subject})"


class RehearsedOperators(OperatorRecords):
    """Operators as they would be."""

    def __init__(self, operators: OperatorRecords, changes: list[Rehearsed]) -> None:
        """Read from `operators`; put changes into the list."""
        self._operators = operators
        self._changes = changes

    async def get(self, operator_id: str) -> tuple[OperatorRecord | None, int]:
        """Return an operator as it is: no rehearsal reads one that it changed."""
        return await self._operators.get(operator_id)

    async def all(self) -> list[OperatorRecord]:
        """Return all operators as they are."""
        return await self._operators.all()

    async def put(self, was: OperatorRecord | None, now: OperatorRecord, who: str) -> bool:
        """Note an operator's change."""
        found, _ = await self._operators.get(now.id)
        if found != was:
            return False
        self._changes.append(Rehearsed(action="operator", subject=now.id, before=was, after=now))
        return True


class RehearsedRecords(Records):
    """Teams, apps and keys as they would be."""

    def __init__(self, records: Records, changes: list[Rehearsed]) -> None:
        """Read from `records`; put changes into the list."""
        self._records = records
        self._changes = changes
        self._put: dict[str, dict[str, Any]] = {kind: {} for kind in _MAPS}
        self._keys: dict[str, KeyRecord] = {}
        self._operators = RehearsedOperators(records.operators, changes)

    @property
    def operators(self) -> OperatorRecords:
        """Return the operators as they would be."""
        return self._operators

    async def directory(self) -> Directory:
        """Return the directory with the changes."""
        found = await self._records.directory()
        fields = {name: self._with(kind, getattr(found, name)) for kind, name in _MAPS.items()}
        return replace(found, **fields)

    def _with(self, kind: str, records: Mapping[str, Any]) -> dict[str, Any]:
        now = {**records, **self._put[kind]}
        return {name: record for name, record in now.items() if record is not None}

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """Return a key as it would be."""
        found, now_s, _ = await self._records.key(key_id)
        return self._keys.get(key_id, found), now_s, await self.directory()

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Return keys as they would be, without those that would be made."""
        found = await self._records.keys(of, after=after, number=number)
        return [self._keys.get(each.id, each) for each in found]

    async def places(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> Sequence[str]:
        """Return the places of keys as they are."""
        return await self._records.places(of, after=after, number=number)

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Note a team's change."""
        return await self._noted("team", name, was, now)

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Note an app's change."""
        return await self._noted("app", name, was, now)

    async def put_alias(self, name: str, was: Alias | None, now: Alias | None, who: str) -> bool:
        """Note an alias's change."""
        return await self._noted("alias", name, was, now)

    async def put_model(self, name: str, was: Model | None, now: Model | None, who: str) -> bool:
        """Note what is decided about a model."""
        return await self._noted("model", name, was, now)

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Note a key's change."""
        found, _, _ = await self.key(now.id)
        if found != was:
            return False
        self._keys[now.id] = now
        self._changes.append(Rehearsed(action="key", subject=now.id, before=was, after=now))
        return True

    async def _noted(self, kind: Literal["team", "app", "alias", "model"], *put: Any) -> bool:
        name, was, now = put
        if getattr(await self.directory(), _MAPS[kind]).get(name) != was:
            return False
        self._put[kind][name] = now
        self._changes.append(Rehearsed(action=kind, subject=name, before=was, after=now))
        return True

    def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """Iterate over the audit log as it is."""
        return self._records.audit(before=before)

    async def now_s(self) -> int:
        """Return the time."""
        return await self._records.now_s()


class RehearsedBudgets(BudgetStore):
    """Budgets as they would be."""

    def __init__(self, budgets: BudgetStore, changes: list[Rehearsed]) -> None:
        """Read from `budgets`; put changes into the list."""
        self._budgets = budgets
        self._changes = changes
        self._now: dict[tuple[str, Account, Kind], Position] = {}
        self._overage: dict[str, Micros] = {}

    async def read(self, upstream: str, charged: Account, kind: Kind) -> Budget | None:
        """Return a budget as it would be."""
        if (upstream, charged, kind) in self._now:
            return self._now[upstream, charged, kind].budget
        return await self._budgets.read(upstream, charged, kind)

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
        """Note a budget's change; lowered or removed, it also loses its raise."""
        before = await self._position(upstream, charged, kind)
        if before.budget != was:
            return False
        lowers = now is None or was is None or now.limit < was.limit
        after = replace(before, budget=now, raised=0 if lowers else before.raised)
        self._note("budget", upstream, before, after)
        return True

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
        """Note a raise."""
        before = await self._position(upstream, charged, kind)
        if before.budget is None:
            raise BudgetUnset
        self._note("raise", upstream, before, replace(before, raised=before.raised + amount))

    async def reset(
        self, upstream: str, charged: Account, kind: Kind, *, change: str, who: str, why: str = ""
    ) -> Micros:
        """Note a reset."""
        before = await self._position(upstream, charged, kind)
        self._note("reset", upstream, before, replace(before, spent=0))
        return before.spent

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """Return an account's positions as they would be."""
        found = await self._budgets.positions(upstream, charged)
        return [self._now.get((upstream, charged, each.window.kind), each) for each in found]

    async def knows(self, upstream: str, charged: Account) -> bool:
        """Return whether an account was ever charged or limited."""
        return await self._budgets.knows(upstream, charged)

    async def accounts(self, upstream: str) -> list[Account]:
        """Return every account that was ever charged or limited."""
        return await self._budgets.accounts(upstream)

    async def limited(
        self, upstream: str, start: str = "", number: int | None = None
    ) -> list[Account]:
        """Return the accounts that have a budget."""
        return await self._budgets.limited(upstream, start, number)

    async def having(self, upstream: str, accounts: Sequence[Account]) -> Collection[Account]:
        """Return those of the accounts that have a budget."""
        return await self._budgets.having(upstream, accounts)

    async def positions_of(
        self, upstream: str, accounts: Sequence[Account]
    ) -> list[list[Position]]:
        """Return the positions of accounts as they would be."""
        return [await self.positions(upstream, each) for each in accounts]

    async def overage(self, upstream: str) -> tuple[Micros, Micros]:
        """Return the overage limit as it would be."""
        limit, used = await self._budgets.overage(upstream)
        return self._overage.get(upstream, limit), used

    async def set_overage(self, upstream: str, limit: Micros, who: str, why: str = "") -> None:
        """Note an overage limit."""
        was, _ = await self.overage(upstream)
        self._overage[upstream] = limit
        self._changes.append(
            Rehearsed(action="overage", subject="overage", before=was, after=limit)
        )

    async def _position(self, upstream: str, charged: Account, kind: Kind) -> Position:
        return (await self.positions(upstream, charged))[KINDS.index(kind)]

    def _note(self, action: Action, upstream: str, before: Position, after: Position) -> None:
        self._now[upstream, after.account, after.window.kind] = after
        name = after.account.name
        self._changes.append(Rehearsed(action=action, subject=name, before=before, after=after))


class RehearsedStops(StopStore):
    """Stops as they would be."""

    def __init__(self, stops: StopStore, changes: list[Rehearsed]) -> None:
        """Read from `stops`; put changes into the list."""
        self._stops = stops
        self._changes = changes

    async def all(self) -> list[Stopped]:
        """Return every stop as it is."""
        return await self._stops.all()

    async def read(self, of: Account) -> Stop | None:
        """Return a subject's stop as it is."""
        return await self._stops.read(of)

    async def put(self, of: Account, was: Stop | None, now: Stop | None, who: str) -> bool:
        """Note a stop's change."""
        if await self.read(of) != was:
            return False
        self._changes.append(Rehearsed(action="stop", subject=of.name, before=was, after=now))
        return True

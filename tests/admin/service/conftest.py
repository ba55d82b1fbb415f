"""Records and books in memory, as an operator's administration sees them."""

# ruff: noqa: D102 - the ports say what each method does

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import pytest

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import Alias, App, Directory, Model, Team
from falgate.accounts.operator import OperatorRecord
from falgate.admin.service import AdminService
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.core.calendar import Kind as WindowKind
from falgate.core.change import Audited
from falgate.core.money import Micros
from falgate.models.endpoints import MODELS
from falgate.money.budget import Budget, BudgetUnset, Position
from falgate.money.stop import Stop, Stopped

T = TypeVar("T")

NOON_MS = 1_800_000_000_000


class Operators:
    """Operators, in memory."""

    def __init__(self) -> None:
        self.known: dict[str, OperatorRecord] = {}

    async def get(self, operator_id: str) -> tuple[OperatorRecord | None, int]:
        return self.known.get(operator_id), NOON_MS // 1000

    async def all(self) -> list[OperatorRecord]:
        return sorted(self.known.values(), key=lambda record: record.place)

    async def put(self, was: OperatorRecord | None, now: OperatorRecord, who: str) -> bool:
        assert who
        if self.known.get(now.id) != was:
            return False
        self.known[now.id] = now
        return True


class Records:
    """Teams, apps and keys. `interfere` is called before each put: somebody else is quicker."""

    def __init__(self) -> None:
        self.teams: dict[str, Team] = {}
        self.apps: dict[str, App] = {}
        self.aliases: dict[str, Alias] = {}
        self.models: dict[str, Model] = {}
        self.known: dict[str, KeyRecord] = {}
        self.operators = Operators()
        self.lines: list[Audited] = []
        self.interfere: Callable[[], None] = lambda: None

    async def directory(self) -> Directory:
        return Directory(
            0, dict(self.teams), dict(self.apps), dict(self.models), dict(self.aliases)
        )

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        return self.known.get(key_id), await self.now_s(), await self.directory()

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        known = sorted(self.known.values(), key=lambda key: key.place)
        found = [key for key in known if of in {"", key.team, f"{key.team}/{key.app}"}]
        return [key for key in found if key.place > after][:number]

    async def places(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> Sequence[str]:
        return [key.place for key in await self.keys(of, after=after, number=number)]

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        return self._put(self.teams, name, was, now, who)

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        return self._put(self.apps, name, was, now, who)

    async def put_alias(self, name: str, was: Alias | None, now: Alias | None, who: str) -> bool:
        return self._put(self.aliases, name, was, now, who)

    async def put_model(
        self, endpoint: str, was: Model | None, now: Model | None, who: str
    ) -> bool:
        return self._put(self.models, endpoint, was, now, who)

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        return self._put(self.known, now.id, was, now, who)

    async def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        for line in reversed(self.lines):
            if before == "+" or line.id < before:
                yield line

    async def now_s(self) -> int:
        return NOON_MS // 1000

    def _put(self, kept: dict[str, T], name: str, was: T | None, now: T | None, who: str) -> bool:
        self.interfere()
        if kept.get(name) == now:
            return True
        if kept.get(name) != was:
            return False
        if now is None:
            del kept[name]
        else:
            kept[name] = now
        number = len(self.lines)
        self.lines.append(
            Audited(id=f"{number}-0", who=who, action="put", subject=name, before="", after="")
        )
        return True


class Books:
    """Budgets of every upstream."""

    def __init__(self) -> None:
        self.budgets: dict[tuple[str, Account, WindowKind], Budget] = {}
        self.spent: dict[Account, Micros] = {}
        self.raised: dict[tuple[Account, WindowKind], Micros] = {}
        self.changes: list[str] = []
        self.reasons: list[str] = []
        self.limits: dict[str, Micros] = {}

    async def read(self, upstream: str, charged: Account, kind: WindowKind) -> Budget | None:
        return self.budgets.get((upstream, charged, kind))

    async def put(
        self,
        upstream: str,
        charged: Account,
        kind: WindowKind,
        *,
        was: Budget | None,
        now: Budget | None,
        who: str,
    ) -> bool:
        assert who
        place = (upstream, charged, kind)
        if self.budgets.get(place) != was:
            return False
        if now is None:
            self.budgets.pop(place, None)
        else:
            self.budgets[place] = now
        return True

    async def raise_(
        self,
        upstream: str,
        charged: Account,
        kind: WindowKind,
        amount: Micros,
        *,
        change: str,
        who: str,
        why: str = "",
    ) -> None:
        assert who
        self.reasons.append(why)
        if (upstream, charged, kind) not in self.budgets:
            raise BudgetUnset
        if change not in self.changes:
            self.changes.append(change)
            self.raised[charged, kind] = self.raised.get((charged, kind), 0) + amount

    async def reset(
        self,
        upstream: str,
        charged: Account,
        kind: WindowKind,
        *,
        change: str,
        who: str,
        why: str = "",
    ) -> Micros:
        assert (upstream, charged, kind) in self.budgets
        assert who
        self.reasons.append(why)
        self.changes.append(change)
        return self.spent.pop(charged, 0)

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        return [
            Position(
                account=charged,
                window=window,
                budget=self.budgets.get((upstream, charged, window.kind)),
                raised=self.raised.get((charged, window.kind), 0),
                spent=self.spent.get(charged, 0),
                held=0,
            )
            for window in Calendar(ZoneInfo("UTC")).windows(NOON_MS)
        ]

    async def knows(self, upstream: str, charged: Account) -> bool:
        return charged in await self.accounts(upstream)

    async def accounts(self, upstream: str) -> list[Account]:
        known = {place[1] for place in self.budgets if place[0] == upstream} | {*self.spent}
        return sorted(known, key=lambda account: account.name)

    async def limited(
        self, upstream: str, start: str = "", number: int | None = None
    ) -> list[Account]:
        known = {place[1] for place in self.budgets if place[0] == upstream}
        behind = [each for each in known if each.name >= start]
        return sorted(behind, key=lambda account: account.name)[:number]

    async def having(self, upstream: str, accounts: Sequence[Account]) -> Collection[Account]:
        known = await self.limited(upstream)
        return [each for each in accounts if each in known]

    async def positions_of(
        self, upstream: str, accounts: Sequence[Account]
    ) -> list[list[Position]]:
        return [await self.positions(upstream, each) for each in accounts]

    async def overage(self, upstream: str) -> tuple[Micros, Micros]:
        return self.limits.get(upstream, 0), 0

    async def set_overage(self, upstream: str, limit: Micros, who: str, why: str = "") -> None:
        assert who
        self.reasons.append(why)
        self.limits[upstream] = limit


class Stops:
    """Stops; each change of one is written down."""

    def __init__(self) -> None:
        self.kept: dict[Account, Stop] = {}
        self.changes: list[tuple[str, str]] = []

    async def all(self) -> list[Stopped]:
        return [Stopped(of, stop) for of, stop in self.kept.items()]

    async def read(self, of: Account) -> Stop | None:
        return self.kept.get(of)

    async def put(self, of: Account, was: Stop | None, now: Stop | None, who: str) -> bool:
        if self.kept.get(of) != was:
            return False
        if now is None:
            del self.kept[of]
        else:
            self.kept[of] = now
        self.changes.append((who, of.name))
        return True


class World(msgspec.Struct):
    """What an administration acts on, and some of them."""

    records: Records
    books: Books
    stops: Stops

    def admin(self, kind: Kind = "live") -> AdminService:
        """Somebody's administration; its randomness counts."""
        drawn = iter(range(1, 100))
        return AdminService(
            self.records,
            self.books,
            self.stops,
            who="somebody",
            upstreams={"live": "fal", "test": "test"},
            models=MODELS,
            kind=kind,
            randomness=lambda number: next(drawn).to_bytes(number, "big"),
        )


@pytest.fixture
def world() -> World:
    """Team web with its app shop, and a budget of the organisation."""
    world = World(Records(), Books(), Stops())
    world.records.teams["web"] = Team()
    world.records.apps["web/shop"] = App()
    world.books.budgets["fal", ORGANISATION, "day"] = Budget(limit=10_000_000)
    return world


@pytest.fixture
def admin(world: World) -> AdminService:
    """An administration of live keys' money."""
    return world.admin()

"""Setting an app up: its team, the app, a key and their budgets, in one call."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.directory import App, Team
from falgate.accounts.limits import Limits
from falgate.admin.service import AdminService
from falgate.core.account import Account
from falgate.core.calendar import Kind as WindowKind
from falgate.core.errors import Refusal, Unavailable
from falgate.core.problems import Conflict, Problem
from falgate.money.budget import Budget

REPEATED_S = 86_400
"""How long a second key of the same name is taken for a repeat of the call that made the first."""

_LOST = "If its answer was lost, rotate that key to get a secret"

Of = Literal["team", "app", "key"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is to have.

    Attributes:
        team: Its team, which is made if there is none of this name.
        app: The app, likewise.
        kind: Kind of the key.
        name: Of the key; by it a repeat is recognised.
        expires_s: When the key expires, in seconds since 1970; 0 for never.
        permissions: What the key may ask for.
        limits: Its rate limits.
        budgets: For the team, the app or the key, by window.
    """

    team: str
    app: str
    kind: Kind
    name: str
    expires_s: int
    permissions: Permissions
    limits: Limits
    budgets: Sequence[tuple[Of, WindowKind, Budget]]

    @property
    def place(self) -> str:
        """The app, "team/app"."""
        return f"{self.team}/{self.app}"


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What was made.

    Attributes:
        key: The full key, which can never be shown again.
        record: Its record.
        made: What was made, in order: "team web", "app web/shop", "key ID", ...
        there: What was there already, likewise.
    """

    key: str
    record: KeyRecord
    made: Sequence[str]
    there: Sequence[str]

    def __repr__(self) -> str:
        """Omit the secret."""
        return f"SetUp({self.record.id})"


class Setup:
    """Sets one app up, step by step."""

    def __init__(self, admin: AdminService, accounts: AdminService, wanted: Wanted) -> None:
        """Make what is wanted.

        Args:
            admin: Makes teams, apps and keys.
            accounts: Sets the budgets of the kind of key that is made.
            wanted: What the app is to have.
        """
        self._admin = admin
        self._accounts = accounts
        self._wanted = wanted
        self._made: list[str] = []
        self._there: list[str] = []

    async def run(self, repeatable: str = "") -> SetUp:
        """Make everything. The key works from the end on, so never without its budgets.

        Args:
            repeatable: A name of the call: a second call of this name is refused.

        Raises:
            Invalid: A name, a setting or a budget is invalid.
            Conflict: It was done before, a budget is there with other settings, or somebody else
                changed something at the same time. Says what was made before that.
            Unavailable: Without Redis; likewise.
        """
        try:
            return await self._run(repeatable)
        except (Problem, Refusal) as error:
            if not self._made:
                raise
            words = f"{error}. Made before that, and still there: {', '.join(self._made)}"
            raise (Conflict if isinstance(error, Problem) else Unavailable)(words) from None

    async def check(self, repeatable: str = "") -> None:
        """Refuse what `run` would refuse; for a rehearsal.

        Raises:
            Invalid, Conflict, Unavailable: As `run`.
        """
        await self._run(repeatable)

    async def _run(self, repeatable: str) -> SetUp:
        wanted, admin = self._wanted, self._admin
        directory = await admin.records.directory()
        if wanted.team in directory.teams:
            self._there.append(f"team {wanted.team}")
        else:
            await admin.teams.create(wanted.team, Team())
            self._made.append(f"team {wanted.team}")
        if wanted.place in directory.apps:
            await self._refuse_repeat()
            self._there.append(f"app {wanted.place}")
        else:
            await admin.apps.create(wanted.place, App())
            self._made.append(f"app {wanted.place}")
        for of in ("team", "app"):
            await self._budgets(of, wanted.team if of == "team" else wanted.place)
        key, record = await self._key(repeatable)
        return SetUp(key=key, record=record, made=self._made, there=self._there)

    async def _key(self, repeatable: str) -> tuple[str, KeyRecord]:
        wanted, keys = self._wanted, self._admin.keys
        later = any(of == "key" for of, _, _ in wanted.budgets)
        named = f"{wanted.place}:{repeatable}".encode()
        try:
            made = await keys.create(
                wanted.place,
                kind=wanted.kind,
                name=wanted.name,
                expires_s=wanted.expires_s,
                permissions=wanted.permissions,
                limits=wanted.limits,
                disabled=later,
                key_id=hashlib.sha256(named).digest()[: apikey.ID_BYTES] if repeatable else b"",
            )
        except Conflict as error:
            raise Conflict(f"{error}, made by an earlier call like this. {_LOST}") from None
        record = made.record
        self._made.append(f"key {record.id}{' (disabled)' if later else ''}")
        await self._budgets("key", record.id)
        if later:
            record = await keys.change(record.id, lambda was: replace(was, disabled=False))
            self._made = [each.removesuffix(" (disabled)") for each in self._made]
        return made.key, record

    async def _budgets(self, of: Of, subject: str) -> None:
        account = Account(of, subject)
        for level, window, budget in self._wanted.budgets:
            if level != of:
                continue
            what = f"{window} budget of {account.words}"
            upstream = self._accounts.upstream
            if await self._accounts.budget_store.read(upstream, account, window) == budget:
                self._there.append(what)
            else:
                await self._accounts.budgets.create(account, window, budget)
                self._made.append(what)

    async def _refuse_repeat(self) -> None:
        """Refuse what was most likely done before, by a call whose answer was lost.

        Raises:
            Conflict: The app has a key of this name that was made lately.
        """
        wanted, records = self._wanted, self._admin.records
        lately = f"{await records.now_s() - REPEATED_S:012}"
        for key in await records.keys(wanted.place, after=lately):
            if key.name == wanted.name and key.kind == wanted.kind and not key.revoked_s:
                raise Conflict(
                    f"{wanted.place} has a key named {wanted.name} already: {key.id}, made within "
                    f"the last day. {_LOST}; for another key, give another name"
                )

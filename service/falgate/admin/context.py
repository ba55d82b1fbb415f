"""Context shared by admin operations: the acting user and the compare-and-set loop."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TypeVar

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import NAME, NAME_WORDS
from falgate.accounts.ports import Records
from falgate.core.account import ORGANISATION, Account, Level
from falgate.core.calendar import KINDS
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.models.spec import ModelSpec
from falgate.money.ports import BudgetStore, StopStore

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

_TRIES_MAX = 5
_NAMED_MAX = 20
"""How many names a refusal lists."""


class AdminContext(msgspec.Struct, frozen=True):
    """Who acts, and on what.

    Attributes:
        records: Teams, apps and keys.
        budget_store: Budgets.
        stop_store: Stops.
        who: The acting user for the audit log, such as "admin" or "cli:<user>".
        upstreams: The upstream of each kind of key, as far as it is known.
        models: The served models, by endpoint.
        kind: The kind of keys whose budgets are administered.
        randomness: Returns the requested number of random bytes, for new keys.
    """

    records: Records
    budget_store: BudgetStore
    stop_store: StopStore
    who: str
    upstreams: Mapping[Kind, str]
    models: Mapping[str, ModelSpec]
    kind: Kind = "live"
    randomness: Callable[[int], bytes] = secrets.token_bytes

    @property
    def upstream(self) -> str:
        """The upstream whose budgets are administered.

        Raises:
            Conflict: No gateway has used this ledger yet, so the upstream of live keys is unknown.
        """
        return upstream_of(self.upstreams, self.kind)

    async def key(self, key_id: str) -> KeyRecord:
        """Return a key.

        Raises:
            NotFound: There is no such key.
        """
        record, _, _ = await self.records.key(key_id)
        if record is None:
            # The id is not quoted: somebody may have pasted the secret key instead.
            raise NotFound("There is no such key; list the keys to see all of them")
        return record

    async def team_of(self, account: Account) -> str:
        """Return the team that an account is one of, or ""; its record need not exist.

        Raises:
            Unavailable: Without Redis.
        """
        if account.level == "team":
            return account.id
        if account.level == "app":
            return account.id.partition("/")[0]
        if account.level == "key":
            record, _, _ = await self.records.key(account.id)
            return record.team if record else ""
        return ""

    async def require(self, account: Account) -> None:
        """Check that an account exists and has its budgets here.

        Raises:
            NotFound: There is no such account.
            Conflict: It is a key of the other kind (live or test).
        """
        if account.level == "key":
            kind = (await self.key(account.id)).kind
            if kind != self.kind:
                raise Conflict(
                    f"{account.name} is a {kind} key, but these are the budgets of {self.kind} keys"
                )
            return
        directory = await self.records.directory()
        known: Mapping[Level, Collection[str]] = {
            "organisation": (ORGANISATION.id,),
            "team": directory.teams,
            "app": directory.apps,
            "model": self.models,
        }
        there = known[account.level]
        if account.id not in there:
            # A mistyped name would limit or stop nothing.
            raise NotFound(f"There is no {account.words}; there are: {few(there) or 'none'}")

    async def require_no_budget(self, account: Account) -> None:
        """Check that an account about to be removed has no budgets, neither live nor test.

        A leftover budget would apply to the next account of the same name.

        Raises:
            Conflict: Names a budget.
        """
        for kind, upstream in self.upstreams.items():
            for window in KINDS:
                if await self.budget_store.read(upstream, account, window):
                    raise Conflict(
                        f"{account.name} has a {window} budget for {kind} keys; remove that first"
                    )


def upstream_of(upstreams: Mapping[Kind, str], kind: Kind) -> str:
    """Whose money one kind of key spends.

    Raises:
        Conflict: No gateway has said yet whom live keys buy from.
    """
    if kind not in upstreams:
        raise Conflict("No gateway has used this ledger yet; start one first")
    return upstreams[kind]


async def change(
    read: Callable[[], Awaitable[T]],
    how: Callable[[T], T],
    put: Callable[[T, T], Awaitable[bool]],
) -> T:
    """Compare and set: replace a record by what `how` makes of it, with retries.

    Raises:
        Conflict: Others keep changing it at the same time.
    """
    for _ in range(_TRIES_MAX):
        was = await read()
        now = how(was)
        if await put(was, now):
            return now
    raise Conflict("Somebody else is changing this at the same time; check it and try again")


def check(record: R) -> R:
    """Return a record after validating all its fields.

    Raises:
        Invalid: Names the first invalid field.
    """
    try:
        msgspec.convert(msgspec.to_builtins(record), type(record))
    except msgspec.ValidationError as error:
        problem, _, field = str(error).partition(" - at `$.")
        raise Invalid(f"{field.rstrip('`')}: {problem}") from None
    return record


def check_name(name: str) -> str:
    """Return the name of a team or an app after validating it.

    Raises:
        Invalid: The name is malformed.
    """
    if not NAME.fullmatch(name):
        raise Invalid(NAME_WORDS)
    return name


def few(names: Iterable[str]) -> str:
    """Return the first names and how many more there are, for a refusal; "" for none."""
    ordered = sorted(names)
    more = len(ordered) - _NAMED_MAX
    return ", ".join(ordered[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")

"""What each operation of the administration stands on: who acts, and how a change goes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import NAME
from falgate.accounts.ports import Records
from falgate.core.account import Account
from falgate.core.calendar import KINDS
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.money.ports import Books

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

_TRIES_MAX = 5


class AdminContext(msgspec.Struct, frozen=True):
    """Who acts, and on what.

    Attributes:
        records: Teams, apps and keys.
        books: Budgets.
        who: For the audit log.
        upstreams: Whose books each kind of key spends in, as far as that is known.
        kind: Of the keys whose books this is about.
    """

    records: Records
    books: Books
    who: str
    upstreams: Mapping[Kind, str]
    kind: Kind

    @property
    def upstream(self) -> str:
        """Whose books this is about.

        Raises:
            Conflict: No gateway has said yet whom live keys buy from.
        """
        if self.kind not in self.upstreams:
            raise Conflict("No gateway has used this ledger yet: start one, once")
        return self.upstreams[self.kind]

    async def key(self, key_id: str) -> KeyRecord:
        """A key.

        Raises:
            NotFound: There is none of that id.
        """
        record, _, _ = await self.records.key(key_id)
        if record is None:
            # Not quoted: it may be a secret with a slip of the mouse.
            raise NotFound("There is no such key; the list of keys shows all of them")
        return record

    async def require(self, account: Account) -> None:
        """Nothing, where there is such an account among these books.

        Raises:
            NotFound: There is none.
            Conflict: It is a key that spends in the other books.
        """
        if account.level == "key":
            kind = (await self.key(account.id)).kind
            if kind != self.kind:
                raise Conflict(
                    f"{account.name} is a {kind} key, and these are the {self.kind} books"
                )
        elif account.level != "organisation":
            directory = await self.records.directory()
            if account.id not in (directory.teams if account.level == "team" else directory.apps):
                raise NotFound(f"There is no {account.level} {account.id}; make it first")

    async def require_no_budget(self, account: Account) -> None:
        """Nothing, where an account that is to be removed has no budget left in any books.

        Raises:
            Conflict: Names one. Kept, it would be in force again for the next of that name.
        """
        for kind, upstream in self.upstreams.items():
            for window in KINDS:
                if await self.books.read(upstream, account, window):
                    raise Conflict(
                        f"{account.name} has a {window} budget for {kind} keys; remove that first"
                    )


async def change(
    read: Callable[[], Awaitable[T]],
    how: Callable[[T], T],
    put: Callable[[T, T], Awaitable[bool]],
) -> T:
    """Put in the place of a record what `how` makes of it, again where it was changed meanwhile.

    Raises:
        Conflict: Somebody changes it all the time.
    """
    for _ in range(_TRIES_MAX):
        was = await read()
        now = how(was)
        if await put(was, now):
            return now
    raise Conflict("Somebody else is changing this at the same time; look at it, then try again")


def check(record: R) -> R:
    """A record whose every field is within its limits.

    Raises:
        Invalid: Names the first that is not.
    """
    try:
        msgspec.convert(msgspec.to_builtins(record), type(record))
    except msgspec.ValidationError as error:
        problem, _, field = str(error).partition(" - at `$.")
        raise Invalid(f"{field.rstrip('`')}: {problem}") from None
    return record


def check_name(name: str) -> str:
    """A name that a team or an app may have.

    Raises:
        Invalid: Says what names are made of.
    """
    if not NAME.fullmatch(name):
        raise Invalid(
            "A name has up to 64 letters, digits, dots, dashes and underscores, and begins with "
            "none of dot and dash"
        )
    return name

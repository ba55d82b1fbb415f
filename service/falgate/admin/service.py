"""Administration: what an operator may look at and change, for REST and commands alike."""

import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import App, Team
from falgate.accounts.limits import Limits
from falgate.accounts.ports import Records
from falgate.admin.apps import Apps
from falgate.admin.budgets import Budgets
from falgate.admin.context import AdminContext
from falgate.admin.keys import Keys
from falgate.admin.teams import Teams
from falgate.core.account import Account
from falgate.core.change import Audited
from falgate.core.problems import Invalid
from falgate.models.spec import ModelSpec
from falgate.money.ports import Books

T = TypeVar("T", Team, App, KeyRecord)

_UNLIMITED = "Limits on pace are set for a team, an app or a key, not for the organisation"


class AdminService:
    """One operator's view, of the books of live or of test keys.

    Teams, apps and keys are the same in both; budgets are not. Every method raises `Unavailable`
    without Redis, and a `Problem` where it does nothing.

    Attributes:
        teams: See `Teams`, and so on.
    """

    def __init__(
        self,
        records: Records,
        books: Books,
        *,
        who: str,
        upstreams: Mapping[Kind, str],
        models: Mapping[str, ModelSpec],
        kind: Kind = "live",
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Act for somebody.

        Args:
            records: Teams, apps and keys.
            books: Budgets.
            who: For the audit log: "admin", "cli:<user>".
            upstreams: Whose books each kind of key spends in, as far as that is known.
            models: Those that are served, by endpoint.
            kind: Of the keys whose budgets this is about.
            randomness: Gives as many random bytes as it is asked for; keys are made from them.
        """
        context = AdminContext(records, books, who=who, upstreams=upstreams, kind=kind)
        self.teams = Teams(context)
        self.apps = Apps(context)
        self.keys = Keys(context, models, randomness)
        self.budgets = Budgets(context)
        self._records = records

    async def now_s(self) -> int:
        """The clock that decides, seconds since 1970."""
        return await self._records.now_s()

    async def limits(self, account: Account) -> Limits:
        """The limits on an account's pace.

        Raises:
            Invalid: It is the organisation, which has none.
            NotFound: There is no such account.
        """
        if account.level == "team":
            return (await self.teams.show(account.id)).limits
        if account.level == "app":
            return (await self.apps.show(account.id)).limits
        if account.level == "key":
            return (await self.keys.show(account.id)).limits
        raise Invalid(_UNLIMITED)

    async def limit(self, account: Account, how: Callable[[Limits], Limits]) -> Limits:
        """Change the limits on an account's pace to what `how` makes of them.

        Raises:
            Invalid: A limit makes no sense, or it is the organisation, which has none.
            NotFound: There is no such account.
            Conflict: Somebody else changes it all the time, or it is a key that was revoked.
        """

        def limited(record: T) -> T:
            return replace(record, limits=how(record.limits))

        if account.level == "team":
            return (await self.teams.change(account.id, limited)).limits
        if account.level == "app":
            return (await self.apps.change(account.id, limited)).limits
        if account.level == "key":
            return (await self.keys.change(account.id, limited)).limits
        raise Invalid(_UNLIMITED)

    async def audit(self, number: int, before: str = "+") -> list[Audited]:
        """So many lines of the audit log, the newest first, from just before a line's id."""
        lines: list[Audited] = []
        async for line in self._records.audit(before=before):
            lines.append(line)
            if len(lines) >= number:
                break
        return lines

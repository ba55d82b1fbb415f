"""The admin service: everything that operators can view and change."""

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

_UNLIMITED = "Rate limits can be set for a team, an app or a key, but not for the organisation"


class AdminService:
    """Administration on behalf of one operator, with the budgets of either live or test keys.

    Teams, apps and keys are the same for both. Every method raises `Unavailable` without Redis, and
    a `Problem` if it refuses to act.

    Attributes:
        teams: Administration of teams; apps, keys and budgets likewise.
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
        """Act on behalf of `who`.

        Args:
            records: Teams, apps and keys.
            books: Budgets.
            who: The acting user for the audit log, such as "admin" or "cli:<user>".
            upstreams: The upstream of each kind of key, as far as it is known.
            models: The served models, by endpoint.
            kind: The kind of keys whose budgets are administered.
            randomness: Returns the requested number of random bytes, for new keys.
        """
        context = AdminContext(records, books, who=who, upstreams=upstreams, kind=kind)
        self.teams = Teams(context)
        self.apps = Apps(context)
        self.keys = Keys(context, models, randomness)
        self.budgets = Budgets(context)
        self._records = records

    async def now_s(self) -> int:
        """Return Redis's clock, seconds since 1970."""
        return await self._records.now_s()

    async def limits(self, account: Account) -> Limits:
        """Return the rate limits of an account.

        Raises:
            Invalid: The account is the organisation, which has none.
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
        """Replace the rate limits of an account by what `how` makes of them.

        Raises:
            Invalid: A limit is invalid, or the account is the organisation, which has none.
            NotFound: There is no such account.
            Conflict: Others keep changing it at the same time, or it is a revoked key.
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
        """Return up to `number` lines of the audit log before a line's id, newest first."""
        lines: list[Audited] = []
        async for line in self._records.audit(before=before):
            lines.append(line)
            if len(lines) >= number:
                break
        return lines

"""/limits: how often and how much at once teams, apps and keys may ask and buy."""

import msgspec
from litestar import get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from falgate.accounts.directory import Team, Weight
from falgate.accounts.limits import Limit, Limits
from falgate.admin.api.budgets import AccountName, in_path
from falgate.admin.api.paging import LIMIT, Cursor, Page, page
from falgate.admin.api.paging import Limit as Items
from falgate.admin.api.problems import refusals
from falgate.admin.patch import LimitsChange, TeamChange, merged
from falgate.admin.service import AdminService
from falgate.core.account import LEVELS, Account
from falgate.core.problems import Invalid

_TAGS = ["limits"]
_ONE = "/limits/{account_name:str}"
_ORDER: list[str] = [*LEVELS]


class LimitsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an account; 0 sets none. What a team alone has is null for others."""

    account: str
    requests_per_second: int
    generations_per_minute: int
    generations_at_once: int
    weight: int | None = None
    waiting_generations: int | None = None

    @classmethod
    def of(cls, account: Account, limits: Limits, team: Team | None = None) -> "LimitsShown":
        """As they stand."""
        return cls(
            account=account.name,
            **asdict(limits),
            weight=team.weight if team else None,
            waiting_generations=team.waiting_generations if team else None,
        )


class LimitsSet(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits to set; what is not given stays. The last two are a team's."""

    weight: Weight | UnsetType = UNSET
    waiting_generations: Limit | UnsetType = UNSET


@get("/limits", tags=_TAGS, summary="All limits", responses=refusals())
async def list_limits(
    admin: NamedDependency[AdminService], limit: Items = LIMIT, cursor: Cursor = ""
) -> Page[LimitsShown]:
    """Of teams, then of apps, then of keys that are not revoked."""
    found = [
        *(
            LimitsShown.of(Account("team", name), team.limits, team)
            for name, team in (await admin.teams.all()).items()
        ),
        *(
            LimitsShown.of(Account("app", name), app.limits)
            for name, app in (await admin.apps.all()).items()
        ),
        *(
            LimitsShown.of(Account("key", key.id), key.limits)
            for key in await admin.keys.all()
            if not key.revoked_s
        ),
    ]
    return page(found, _place, lambda each: each, limit, cursor)


@get(_ONE, tags=_TAGS, summary="An account's limits", responses=refusals(404))
async def show_limits(
    admin: NamedDependency[AdminService], account_name: AccountName
) -> LimitsShown:
    """Of a team, an app or a key."""
    return await _shown(admin, in_path(account_name))


@patch(_ONE, tags=_TAGS, summary="Set limits", responses=refusals(404, 409))
async def set_limits(
    admin: NamedDependency[AdminService], account_name: AccountName, data: JSONBody[LimitsSet]
) -> LimitsShown:
    """What is not given stays."""
    account = in_path(account_name)
    paces = LimitsChange(**{name: getattr(data, name) for name in Limits.__struct_fields__})
    if account.level == "team":
        change = TeamChange(
            limits=paces, weight=data.weight, waiting_generations=data.waiting_generations
        )
        await admin.teams.change(account.id, lambda was: merged(was, change))
    elif data.weight is not UNSET or data.waiting_generations is not UNSET:
        raise Invalid("weight and waiting_generations are for teams")
    else:
        await admin.limit(account, lambda was: merged(was, paces))
    return await _shown(admin, account)


async def _shown(admin: AdminService, account: Account) -> LimitsShown:
    if account.level == "team":
        team = await admin.teams.show(account.id)
        return LimitsShown.of(account, team.limits, team)
    return LimitsShown.of(account, await admin.limits(account))


def _place(limits: LimitsShown) -> str:
    level = limits.account.partition(":")[0]
    return f"{_ORDER.index(level)} {limits.account}"


HANDLERS = (list_limits, show_limits, set_limits)

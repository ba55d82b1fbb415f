"""/limits: how often and how much at once teams, apps and keys may ask and buy, and for models."""

from collections.abc import Mapping
from typing import Any, Self

from litestar.params import JSONBody
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Model, Team, Weight
from falgate.accounts.limits import Limit
from falgate.admin.api.budgets import AccountName, in_path
from falgate.admin.api.leads import check_limits, check_seen, check_set
from falgate.admin.api.paging import LIMIT, Cursor, Page, page
from falgate.admin.api.paging import Limit as Items
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import View
from falgate.admin.patch import LimitsChange, merged
from falgate.core.account import LEVELS, Account, Level
from falgate.core.problems import Invalid

routes = Resource("limits")
_ONE = "/limits/{account_name:str}"
_Record = Team | App | KeyRecord | Model


class LimitsShown(View, frozen=True, kw_only=True):
    """The limits of an account; 0 sets none. What an account cannot have is null."""

    account: str
    requests_per_second: int | None = None
    generations_per_minute: int
    generations_at_once: int
    weight: int | None = None
    waiting_generations: int | None = None

    @classmethod
    def set_in(cls, record: _Record, account: Account) -> Self:
        """Convert those of the account that has this record."""
        return cls.of(
            record.limits,
            account=account.name,
            requests_per_second=getattr(record.limits, "requests_per_second", None),
            weight=getattr(record, "weight", None),
            waiting_generations=getattr(record, "waiting_generations", None),
        )


class LimitsSet(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits to set; what is not given stays. The first is no model's, the last two a team's."""

    requests_per_second: Limit | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    waiting_generations: Limit | UnsetType = UNSET


@routes.get("/limits", "All limits", lead=True)
async def list_limits(
    admin: Admin, acting: Acting, limit: Items = LIMIT, cursor: Cursor = ""
) -> Page[LimitsShown]:
    """Of teams, then of apps, then of keys that are not revoked, then of models.

    For a lead, those of the own team, its apps and its keys.
    """
    keys = {key.id: key for key in await admin.keys.all(acting.team) if not key.revoked_s}
    teams = (await admin.teams.all()).items()
    found: dict[Level, Mapping[str, _Record]] = {
        "team": {name: team for name, team in teams if acting.sees(name)},
        "app": await admin.apps.all(acting.team),
        "key": keys,
        "model": await admin.served.all() if acting.sees("") else {},
    }
    shown = {
        f"{LEVELS.index(level)} {level}:{name}": LimitsShown.set_in(record, Account(level, name))
        for level, records in found.items()
        for name, record in records.items()
    }
    return page(shown, lambda _, limits: limits, limit, cursor)


@routes.get(_ONE, "An account's limits", 404, lead=True)
async def show_limits(admin: Admin, acting: Acting, account_name: AccountName) -> LimitsShown:
    """Of a team, an app, a key or a model."""
    account = in_path(account_name)
    await check_seen(acting, admin, account)
    return LimitsShown.set_in(await admin.limited(account).show(account.id), account)


@routes.patch(_ONE, "Set limits", 404, 409, lead=True)
async def set_limits(
    admin: Admin, acting: Acting, account_name: AccountName, data: JSONBody[LimitsSet]
) -> LimitsShown:
    """What is not given stays. A lead sets those of apps and keys, up to those of the team."""
    account = in_path(account_name)
    await check_set(acting, admin, account)
    await check_limits(acting, admin, data)
    if account.level != "team" and (data.weight, data.waiting_generations) != (UNSET, UNSET):
        raise Invalid("weight and waiting_generations are for teams")
    if account.level == "model" and data.requests_per_second is not UNSET:
        raise Invalid(
            "requests_per_second is for teams, apps and keys: a model's limits are on purchases"
        )

    def changed(was: Any) -> Any:
        return replace(merged(was, data), limits=merged(was.limits, data))

    record = await admin.limited(account).change(account.id, changed)
    return LimitsShown.set_in(record, account)

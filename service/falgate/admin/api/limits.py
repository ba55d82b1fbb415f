"""/limits: how often and how much at once teams, apps and keys may ask and buy."""

from collections.abc import Mapping
from typing import Any, Self

from litestar.params import JSONBody
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Team, Weight
from falgate.accounts.limits import Limit
from falgate.admin.api.budgets import AccountName, in_path
from falgate.admin.api.paging import LIMIT, Cursor, Page, page
from falgate.admin.api.paging import Limit as Items
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Admin
from falgate.admin.api.shapes import View
from falgate.admin.patch import LimitsChange, merged
from falgate.core.account import LEVELS, Account, Level
from falgate.core.problems import Invalid

routes = Resource("limits")
_ONE = "/limits/{account_name:str}"


class LimitsShown(View, frozen=True, kw_only=True):
    """The limits of an account; 0 sets none. What a team alone has is null for others."""

    account: str
    requests_per_second: int
    generations_per_minute: int
    generations_at_once: int
    weight: int | None = None
    waiting_generations: int | None = None

    @classmethod
    def set_in(cls, record: Team | App | KeyRecord, account: Account) -> Self:
        """Convert those of the account that has this record."""
        alone = {name: getattr(record, name, None) for name in ("weight", "waiting_generations")}
        return cls.of(record.limits, account=account.name, **alone)


class LimitsSet(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits to set; what is not given stays. The last two are a team's."""

    weight: Weight | UnsetType = UNSET
    waiting_generations: Limit | UnsetType = UNSET


@routes.get("/limits", "All limits")
async def list_limits(admin: Admin, limit: Items = LIMIT, cursor: Cursor = "") -> Page[LimitsShown]:
    """Of teams, then of apps, then of keys that are not revoked."""
    keys = {key.id: key for key in await admin.keys.all() if not key.revoked_s}
    found: dict[Level, Mapping[str, Team | App | KeyRecord]] = {
        "team": await admin.teams.all(),
        "app": await admin.apps.all(),
        "key": keys,
    }
    shown = {
        f"{LEVELS.index(level)} {level}:{name}": LimitsShown.set_in(record, Account(level, name))
        for level, records in found.items()
        for name, record in records.items()
    }
    return page(shown, lambda _, limits: limits, limit, cursor)


@routes.get(_ONE, "An account's limits", 404)
async def show_limits(admin: Admin, account_name: AccountName) -> LimitsShown:
    """Of a team, an app or a key."""
    account = in_path(account_name)
    return LimitsShown.set_in(await admin.limited(account).show(account.id), account)


@routes.patch(_ONE, "Set limits", 404, 409)
async def set_limits(
    admin: Admin, account_name: AccountName, data: JSONBody[LimitsSet]
) -> LimitsShown:
    """What is not given stays."""
    account = in_path(account_name)
    if account.level != "team" and (data.weight, data.waiting_generations) != (UNSET, UNSET):
        raise Invalid("weight and waiting_generations are for teams")

    def changed(was: Any) -> Any:
        return replace(merged(was, data), limits=merged(was.limits, data))

    record = await admin.limited(account).change(account.id, changed)
    return LimitsShown.set_in(record, account)

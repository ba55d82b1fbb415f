"""/accounts and /overage: the position of every account, with or without a budget."""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from falgate.admin.api.budgets import AccountName, OverageSet, in_path, micros
from falgate.admin.api.leads import check_seen
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import OverageShown, Standing
from falgate.core.calendar import Calendar

routes = Resource("budgets")


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose spending is counted."""

    account: Annotated[str, Meta(examples=["team:web"])]


@routes.get("/accounts", "List accounts", 409)
async def list_accounts(
    accounts: Admin, limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[AccountShown]:
    """Every account that was charged or has a budget, by name."""
    found = {each.name: each for each in await accounts.budgets.accounts()}
    return page(found, lambda name, _: AccountShown(account=name), limit, cursor)


@routes.get("/accounts/{account_name:str}", "Get an account's position", 404, 409, lead=True)
async def show_account(
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
) -> list[Standing]:
    """Its position in each current window, with or without a budget there."""
    account = in_path(account_name)
    await check_seen(acting, accounts, account)
    found = await accounts.budgets.positions(account)
    return [Standing.by(calendar, position) for position in found]


@routes.get("/overage", "Get the overage account", 409)
async def show_overage(accounts: Admin) -> OverageShown:
    """The total that fal billed above holds; at the limit, purchases stop."""
    return OverageShown.of(*await accounts.budgets.overage())


@routes.put("/overage", "Set the overage limit", 409)
async def set_overage(accounts: Admin, data: JSONBody[OverageSet]) -> OverageShown:
    """Raising the limit lets purchases continue."""
    return OverageShown.of(
        *await accounts.budgets.set_overage(micros(data.limit_usd), why=data.why)
    )

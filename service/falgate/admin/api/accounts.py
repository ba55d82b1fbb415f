"""/accounts and /house: the position of every account, with or without a budget."""

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from falgate.admin.api.budgets import AccountName, HouseSet, in_path, micros
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import AccountShown, HouseShown, Standing
from falgate.admin.service import AdminService
from falgate.core.calendar import Calendar

_TAGS = ["budgets"]


@get("/accounts", tags=_TAGS, summary="List accounts", responses=refusals(409))
async def list_accounts(
    accounts: NamedDependency[AdminService], limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[AccountShown]:
    """Every account that was charged or has a budget, by name."""
    return page(
        await accounts.budgets.accounts(),
        lambda each: each.name,
        lambda each: AccountShown(account=each.name),
        limit,
        cursor,
    )


@get(
    "/accounts/{account_name:str}",
    tags=_TAGS,
    summary="Get an account's position",
    responses=refusals(404, 409),
)
async def show_account(
    accounts: NamedDependency[AdminService],
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
) -> list[Standing]:
    """Its position in each current window, with or without a budget there."""
    found = await accounts.budgets.positions(in_path(account_name))
    return [Standing.of(position, calendar) for position in found]


@get("/house", tags=_TAGS, summary="Get the overage account", responses=refusals(409))
async def show_house(accounts: NamedDependency[AdminService]) -> HouseShown:
    """The total that fal billed above holds; at the limit, purchases stop."""
    return HouseShown.of(*await accounts.budgets.house())


@put("/house", tags=_TAGS, summary="Set the overage limit", responses=refusals(409))
async def set_house(
    accounts: NamedDependency[AdminService], data: JSONBody[HouseSet]
) -> HouseShown:
    """Raising the limit lets purchases continue."""
    return HouseShown.of(*await accounts.budgets.set_house(micros(data.limit_usd), why=data.why))


HANDLERS = (list_accounts, show_account, show_house, set_house)

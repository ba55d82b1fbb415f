"""/budgets: administration of budgets.

In paths, accounts are written with colons only: organisation:main, team:web, app:web:shop, key:ID,
model:openai:gpt-image-2.
"""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter
from msgspec import UNSET, Meta, UnsetType

from falgate.admin.api.leads import check_seen, check_set
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import Standing, Usd
from falgate.admin.patch import budgeted
from falgate.core.account import Account, account
from falgate.core.calendar import Calendar, Kind
from falgate.core.change import WHY_MAX
from falgate.core.money import Micros, dollars, usd
from falgate.core.problems import Invalid
from falgate.money.budget import Budget, Percent

routes = Resource("budgets")
_ONE = "/budgets/{account_name:str}/{window:str}"

AccountName = Annotated[
    str,
    PathParameter(
        pattern=r"^(organisation(:main)?|(team|key):[^:/]+|app:[^:/]+:[^:/]+|model:[^/]+)$",
        description="organisation:main, team:NAME, app:TEAM:APP, key:ID or model:ENDPOINT, / "
        "written as :",
    ),
]
ChangeId = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[!-~]{1,64}$",
        description="Makes a repeat within a week recognisable, which then changes nothing",
    ),
]


Shadow = Annotated[bool, Meta(description="Count and alert, but refuse nothing")]
Alerts = Annotated[
    list[Percent], Meta(description="Percentages of the limit, ascending; each alerts once")
]


Reason = Annotated[
    str,
    Meta(max_length=WHY_MAX, description="Reason, one line, kept in the ledger and audit log"),
]


class BudgetSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a budget to set; a new budget needs a limit."""

    limit_usd: Usd | UnsetType = UNSET
    shadow: Shadow | UnsetType = UNSET
    alerts: Alerts | UnsetType = UNSET


class BudgetMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget to create."""

    account: Annotated[str, Meta(examples=["team:web", "app:web/shop", "model:openai/gpt-image-2"])]
    window: Kind
    limit_usd: Usd
    shadow: Shadow = False
    alerts: Alerts = []


class Raise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The amount to add to a limit."""

    amount_usd: Usd
    why: Reason = ""


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason for a reset."""

    why: Reason = ""


class OverageSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limit of the overage account."""

    limit_usd: Usd
    why: Reason = ""


class ResetDone(msgspec.Struct, frozen=True, kw_only=True):
    """The forgiven amount and the budget's new position."""

    forgiven_usd: str
    standing: Standing


@routes.get("/budgets", "List budgets", 409, lead=True)
async def list_budgets(
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[Standing]:
    """With their positions, by account and window.

    For a lead those of the own team, of its apps, and of its keys, the oldest first; a page may be
    short or empty.
    """
    found, more = await accounts.budgets.page(limit, cursor, team=acting.team)
    return Page(items=[Standing.by(calendar, each) for each in found], next_cursor=more or None)


@routes.post("/budgets", "Create a budget", 404, 409, lead=True)
async def create_budget(
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    data: JSONBody[BudgetMade],
) -> Standing:
    """Refused if the account already has a budget for this window."""
    charged = _account(data.account)
    await check_set(acting, accounts, charged)
    budget = Budget(limit=micros(data.limit_usd), shadow=data.shadow, alerts=tuple(data.alerts))
    made = await accounts.budgets.create(charged, data.window, budget)
    return Standing.by(calendar, made)


@routes.get(_ONE, "Get a budget", 404, 409, lead=True)
async def show_budget(
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
    window: FromPath[Kind],
) -> Standing:
    """With its position."""
    account = in_path(account_name)
    await check_seen(acting, accounts, account)
    return Standing.by(calendar, await accounts.budgets.show(account, window))


@routes.put(_ONE, "Set a budget", 404, 409, lead=True)
async def set_budget(  # noqa: PLR0917 -- the framework gives them by name
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
    window: FromPath[Kind],
    data: JSONBody[BudgetSet],
) -> Standing:
    """Creates or changes a budget. Fields that are not given, and spending, keep their values."""
    account = in_path(account_name)
    await check_set(acting, accounts, account)
    limit = UNSET if data.limit_usd is UNSET else micros(data.limit_usd)
    done = await accounts.budgets.set(account, window, lambda was: budgeted(was, data, limit))
    return Standing.by(calendar, done)


@routes.delete(_ONE, "Remove a budget", 404, 409, lead=True)
async def remove_budget(
    accounts: Admin, acting: Acting, account_name: AccountName, window: FromPath[Kind]
) -> None:
    """Spending is still counted. The organisation's last enforced budget cannot be removed."""
    account = in_path(account_name)
    await check_set(acting, accounts, account)
    await accounts.budgets.remove(account, window)


@routes.act(f"{_ONE}/raise", "Raise a budget for the current window", 404, 409, lead=True)
async def raise_budget(
    *,
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
    window: FromPath[Kind],
    data: JSONBody[Raise],
    idempotency_key: ChangeId = None,
) -> Standing:
    """The next window has the original limit again. The ledger keeps a record."""
    account = in_path(account_name)
    await check_set(acting, accounts, account)
    done = await accounts.budgets.raise_(
        account, window, micros(data.amount_usd), idempotency_key, why=data.why
    )
    return Standing.by(calendar, done)


@routes.act(f"{_ONE}/reset", "Forgive what was spent in the current window", 404, 409)
async def reset_budget(
    *,
    accounts: Admin,
    calendar: NamedDependency[Calendar],
    account_name: AccountName,
    window: FromPath[Kind],
    data: JSONBody[Reset | None] = None,
    idempotency_key: ChangeId = None,
) -> ResetDone:
    """Holds stay. The ledger keeps a record."""
    forgiven, done = await accounts.budgets.reset(
        in_path(account_name), window, idempotency_key, why=data.why if data else ""
    )
    return ResetDone(forgiven_usd=dollars(forgiven), standing=Standing.by(calendar, done))


def _account(name: str) -> Account:
    try:
        return account(name)
    except ValueError as error:
        raise Invalid(str(error)) from None


def in_path(name: str) -> Account:
    """Return the account that a path segment names.

    Raises:
        Invalid: It is malformed.
    """
    level, colon, rest = name.partition(":")
    return _account(f"{level}{colon}{rest.replace(':', '/')}")


def micros(amount: str) -> Micros:
    """Convert decimal dollars to micro-USD.

    Raises:
        Invalid: The amount is malformed.
    """
    try:
        return usd(amount)
    except ValueError as error:
        raise Invalid(str(error)) from None

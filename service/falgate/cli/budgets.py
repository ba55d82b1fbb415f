"""`falgate budgets`: set, raise, reset, remove and list budgets, and the house's limit."""

import click
from msgspec import UNSET

from falgate.admin.api.shapes import HouseShown, Standing
from falgate.admin.patch import BudgetChange, budgeted
from falgate.admin.service import AdminService
from falgate.cli.operating import (
    ACCOUNT,
    DOLLARS,
    as_json,
    calendar,
    operate,
    tabulate,
    tell,
    test_books,
)
from falgate.core.account import Account
from falgate.core.calendar import KINDS, Kind
from falgate.core.money import Micros, dollars
from falgate.money.budget import Position

_COLUMNS = (
    "account",
    "window",
    "budget.limit_usd",
    "raised_usd",
    "spent_usd",
    "held_usd",
    "remaining_usd",
    "budget.shadow",
    "budget.alerts",
    "resets_at",
)

_account = click.argument("account", type=ACCOUNT)
_why = click.option(
    "--why", default="", metavar="WORDS", help="What for; kept in the ledger and the audit log."
)
_window = click.argument("window", type=click.Choice(KINDS))


@click.group()
def budgets() -> None:
    """Budgets of the organisation, of team:NAME, app:TEAM/APP and key:ID."""


@budgets.command("set")
@_account
@_window
@click.argument("limit", type=DOLLARS, required=False)
@click.option(
    "--alert",
    "alerts",
    multiple=True,
    type=click.IntRange(1, 1000),
    help="Alert at this percentage of the limit, once per window; may be given again.",
)
@click.option("--no-alerts", is_flag=True, help="Alert at none.")
@click.option(
    "--shadow/--no-shadow", default=None, help="Count and alert, and refuse nothing; or enforce."
)
@test_books
@as_json
def set_budget(
    *,
    account: Account,
    window: Kind,
    limit: Micros | None,
    alerts: tuple[int, ...],
    no_alerts: bool,
    shadow: bool | None,
    test: bool,
    plain: bool,
) -> None:
    """Set a budget of LIMIT dollars per WINDOW; what is not given stays as it is."""
    if alerts and no_alerts:
        raise click.UsageError("--alert and --no-alerts exclude each other")
    change = BudgetChange(
        limit=UNSET if limit is None else limit,
        shadow=UNSET if shadow is None else shadow,
        alerts=alerts if alerts or no_alerts else UNSET,
    )
    position = operate(
        lambda admin: admin.budgets.set(account, window, lambda was: budgeted(was, change)),
        test=test,
    )
    _tell(position, plain)


@budgets.command("list")
@test_books
@as_json
def list_budgets(*, test: bool, plain: bool) -> None:
    """Show every budget and where it stands."""
    _tabulate(operate(lambda admin: admin.budgets.all(), test=test), plain)


@budgets.command()
@_account
@test_books
@as_json
def show(*, account: Account, test: bool, plain: bool) -> None:
    """Show where an account stands in every window, limited there or not."""
    _tabulate(operate(lambda admin: admin.budgets.positions(account), test=test), plain)


@budgets.command("raise")
@_account
@_window
@click.argument("amount", type=DOLLARS)
@_why
@test_books
@as_json
def raise_budget(
    *, account: Account, window: Kind, amount: Micros, why: str, test: bool, plain: bool
) -> None:
    """Add AMOUNT dollars to a budget, for the window of now only."""
    position = operate(
        lambda admin: admin.budgets.raise_(account, window, amount, why=why), test=test
    )
    _tell(position, plain)


@budgets.command()
@_account
@_window
@_why
@test_books
@as_json
def reset(*, account: Account, window: Kind, why: str, test: bool, plain: bool) -> None:
    """Forgive what was spent in the window of now; the ledger keeps a record of that."""
    _, position = operate(lambda admin: admin.budgets.reset(account, window, why=why), test=test)
    _tell(position, plain)


@budgets.command()
@_account
@_window
@test_books
@as_json
def remove(*, account: Account, window: Kind, test: bool, plain: bool) -> None:
    """Take a budget away."""

    async def gone(admin: AdminService) -> None:
        await admin.budgets.remove(account, window)

    operate(gone, test=test)
    name = f"{account.name}/{window}"
    tell({"removed": name}, f"the budget {name} is removed", plain=plain)


@budgets.command()
@click.argument("limit", type=DOLLARS, required=False)
@_why
@test_books
@as_json
def house(*, limit: Micros | None, why: str, test: bool, plain: bool) -> None:
    """Show, or set to LIMIT dollars, how much settlements may exceed their holds by."""

    async def used(admin: AdminService) -> tuple[Micros, Micros]:
        if limit is None:
            return await admin.budgets.house()
        return await admin.budgets.set_house(limit, why=why)

    shown = HouseShown.of(*operate(used, test=test))
    words = f"the house: limit ${shown.limit_usd}, used ${shown.used_usd}"
    tell(shown, words, plain=plain)


def _tabulate(positions: list[Position], plain: bool) -> None:
    counted = calendar()
    tabulate([Standing.of(each, counted) for each in positions], _COLUMNS, plain=plain)


def _tell(position: Position, plain: bool) -> None:
    shown = Standing.of(position, calendar())
    limit, left = position.limit or 0, shown.remaining_usd
    until = f" until {shown.resets_at}" if shown.resets_at else ""
    words = f"{shown.account}/{shown.window}: ${dollars(limit)}, ${left} left{until}"
    if (budget := shown.budget) is not None:
        alerts = ", ".join(f"{percent} %" for percent in budget.alerts)
        words += "; shadow, refuses nothing" if budget.shadow else "; enforced"
        words += f"; alerts at {alerts}" if alerts else "; no alerts"
    tell(shown, words, plain=plain)

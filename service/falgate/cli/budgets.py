"""`falgate budgets`: set, raise, reset, remove and list budgets, and the overage limit."""

from typing import Any

import click

from falgate.cli.client import Api, changer, lister
from falgate.cli.options import (
    ACCOUNT,
    DOLLARS,
    AmountCommand,
    confirm,
    confirmed,
    given,
    in_path,
    of_books,
)
from falgate.cli.output import Column, listed, moment, say, usd
from falgate.core.account import Account
from falgate.core.calendar import KINDS
from falgate.core.money import dollars
from falgate.core.money import usd as micros

_COLUMNS = (
    Column("account", whole=True),
    Column("window"),
    Column("budget.limit_usd", "limit $"),
    Column("raised_usd", "raised $", wide=True),
    Column("spent_usd", "spent $"),
    Column("held_usd", "held $", wide=True),
    Column("remaining_usd", "left $"),
    Column("budget.shadow", wide=True),
    Column("budget.alerts", "alerts"),
    Column("resets_at", "resets", moment, whole=True),
)

_account = click.argument("account", type=ACCOUNT)
_why = click.option(
    "--why", default="", metavar="WORDS", help="What for; kept in the ledger and the audit log."
)
_window = click.argument("window", type=click.Choice(KINDS))


@click.group()
def budgets() -> None:
    """Budgets of org (the organisation), of team:NAME, app:TEAM/APP, key:ID and model:ENDPOINT."""


@budgets.command("set", cls=AmountCommand)
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
@of_books
@changer()
def set_budget(
    api: Api,
    *,
    account: Account,
    window: str,
    limit: str | None,
    alerts: tuple[int, ...],
    no_alerts: bool,
    shadow: bool | None,
    books: str,
) -> None:
    """Set a budget of LIMIT dollars per WINDOW; what is not given stays as it is."""
    if alerts and no_alerts:
        raise click.UsageError("--alert and --no-alerts exclude each other")
    changed = list(alerts) if alerts or no_alerts else None
    body = given({"limit_usd": limit, "shadow": shadow, "alerts": changed})
    standing = api.put("budgets", in_path(account), window, body=body, books=books)
    say(standing, _words(standing))


@budgets.command("list")
@of_books
@lister()
def list_budgets(api: Api, *, books: str) -> None:
    """Show every budget and where it stands."""
    listed(api.items("budgets", books=books), _COLUMNS)


@budgets.command()
@_account
@of_books
@lister()
def show(api: Api, *, account: Account, books: str) -> None:
    """Show where an account stands in every window, limited there or not."""
    listed(api.get("accounts", in_path(account), books=books), _COLUMNS)


@budgets.command("raise", cls=AmountCommand)
@_account
@_window
@click.argument("amount", type=DOLLARS)
@_why
@of_books
@changer()
def raise_budget(
    api: Api, *, account: Account, window: str, amount: str, why: str, books: str
) -> None:
    """Add AMOUNT dollars to a budget, for the window of now only."""
    body = {"amount_usd": amount, "why": why}
    path = ("budgets", in_path(account), window, "raise")
    standing = api.post(*path, body=body, books=books)
    say(standing, _words(standing))


@budgets.command()
@_account
@_window
@_why
@of_books
@confirmed
@changer()
def reset(api: Api, *, account: Account, window: str, why: str, books: str, yes: bool) -> None:
    """Forgive what was spent in the window of now; the ledger keeps a record of that."""
    confirm(f"Resetting the budget {account.name}/{window}", yes=yes)
    path = ("budgets", in_path(account), window, "reset")
    done = api.post(*path, body={"why": why}, books=books)
    say(done, f"{_words(done['standing'])}; {usd(done['forgiven_usd'])} forgiven")


@budgets.command()
@_account
@_window
@of_books
@confirmed
@changer()
def remove(api: Api, *, account: Account, window: str, books: str, yes: bool) -> None:
    """Take a budget away."""
    name = f"{account.name}/{window}"
    confirm(f"Removing the budget {name}", yes=yes)
    api.delete("budgets", in_path(account), window, books=books)
    say({"removed": name}, f"the budget {name} is removed")


@budgets.command(cls=AmountCommand)
@click.argument("limit", type=DOLLARS, required=False)
@_why
@of_books
@changer()
def overage(api: Api, *, limit: str | None, why: str, books: str) -> None:
    """Show, or set to LIMIT dollars, how much settlements may exceed their holds by."""
    if limit is None:
        found = api.get("overage", books=books)
    else:
        found = api.put("overage", body={"limit_usd": limit, "why": why}, books=books)
    say(
        found,
        f"the overage account: limit {usd(found['limit_usd'])}, used {usd(found['used_usd'])}",
    )


def _words(standing: dict[str, Any]) -> str:
    budget = standing["budget"]
    until = f" until {moment(standing['resets_at'])}" if standing["resets_at"] else ""
    limit = dollars(micros(budget["limit_usd"]) + micros(standing["raised_usd"]))
    words = f"{standing['account']}/{standing['window']}: ${limit}"
    words += f", ${standing['remaining_usd']} left{until}"
    words += "; shadow, refuses nothing" if budget["shadow"] else "; enforced"
    alerts = ", ".join(f"{percent} %" for percent in budget["alerts"])
    return f"{words}; alerts at {alerts}" if alerts else f"{words}; no alerts"

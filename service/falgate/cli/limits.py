"""`falgate limits`: show and set how often and how much at once may be asked and bought."""

import click

from falgate.cli.client import admin_api
from falgate.cli.options import ACCOUNT, in_path, lister, operator
from falgate.cli.output import Column, limit, listed, shown
from falgate.core.account import Account

_MAX = click.IntRange(0, 1_000_000)
_COLUMNS = (
    Column("account", whole=True),
    Column("requests_per_second", "requests/s", limit),
    Column("generations_per_minute", "bought/min", limit),
    Column("generations_at_once", "at once", limit),
    Column("weight"),
    Column("waiting_generations", "waiting", limit),
)


@click.group()
def limits() -> None:
    """Limits on the pace of team:NAME, app:TEAM/APP and key:ID; 0 sets no limit."""


@limits.command("set")
@click.argument("account", type=ACCOUNT)
@click.option(
    "--requests-per-second",
    type=_MAX,
    help="Runs, submits, quotes and looks at usage, hits too; not status, results, pictures.",
)
@click.option("--generations-per-minute", type=_MAX, help="Purchases begun in any 60 seconds.")
@click.option("--at-once", "generations_at_once", type=_MAX, help="Purchases under way.")
@click.option(
    "--weight", type=click.IntRange(1, 1000), help="A team's share of turns at a busy upstream."
)
@click.option(
    "--waiting",
    "waiting_generations",
    type=_MAX,
    help="How many of a team's purchases may wait for a turn.",
)
@operator
def set_limits(*, account: Account, **given: int | None) -> None:
    """Set limits; what is not given stays."""
    body = {name: value for name, value in given.items() if value is not None}
    with admin_api() as api:
        shown(api.patch("limits", in_path(account), body=body), _COLUMNS)


@limits.command("list")
@lister
def list_limits() -> None:
    """Show the limits of every team, app and key."""
    with admin_api() as api:
        listed(api.items("limits"), _COLUMNS)


@limits.command()
@click.argument("account", type=ACCOUNT)
@operator
def show(*, account: Account) -> None:
    """Show the limits of one account."""
    with admin_api() as api:
        shown(api.get("limits", in_path(account)), _COLUMNS)

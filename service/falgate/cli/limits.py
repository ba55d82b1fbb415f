"""`falgate limits`: show and set how often and how much at once may be asked and bought."""

import click

from falgate.cli.client import Api, changer, lister, operator
from falgate.cli.options import ACCOUNT, given, in_path
from falgate.cli.output import Column, limit, limit_columns, listed, shown
from falgate.core.account import Account

_MAX = click.IntRange(0, 1_000_000)
_COLUMNS = (
    Column("account", whole=True),
    *limit_columns(),
    Column("weight"),
    Column("waiting_generations", "waiting", limit),
)


@click.group()
def limits() -> None:
    """Limits on the pace of team:NAME, app:TEAM/APP, key:ID and model:ENDPOINT; 0 sets no limit."""


@limits.command("set")
@click.argument("account", type=ACCOUNT)
@click.option(
    "--requests-per-second",
    type=_MAX,
    help="Runs, submits, quotes and looks at usage, hits too; not status, results, pictures. "
    "A model has none.",
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
@changer()
def set_limits(api: Api, *, account: Account, **options: int | None) -> None:
    """Set limits; what is not given stays."""
    shown(api.patch("limits", in_path(account), body=given(options)), _COLUMNS)


@limits.command("list")
@lister()
def list_limits(api: Api) -> None:
    """Show the limits of every team, app, key and model."""
    listed(api.items("limits"), _COLUMNS)


@limits.command()
@click.argument("account", type=ACCOUNT)
@operator()
def show(api: Api, *, account: Account) -> None:
    """Show the limits of one account."""
    shown(api.get("limits", in_path(account)), _COLUMNS)

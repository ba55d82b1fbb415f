"""`falgate teams`: make, list and remove teams."""

import click

from falgate.cli.client import Api, changer, lister, operator
from falgate.cli.options import confirm, confirmed
from falgate.cli.output import Column, limit, limit_columns, listed, say, shown

_COLUMNS = (
    Column("name", whole=True),
    Column("weight"),
    Column("waiting_generations", "waiting", limit),
    *limit_columns("limits."),
)


@click.group()
def teams() -> None:
    """Teams: who answers for spending. `falgate limits set team:NAME` sets their limits."""


@teams.command()
@click.argument("name")
@click.option(
    "--weight",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Its share of turns at a busy upstream.",
)
@click.option(
    "--waiting",
    type=click.IntRange(0, 1_000_000),
    default=0,
    help="How many of its purchases may wait for a turn; 0: any number.",
)
@changer()
def create(api: Api, *, name: str, weight: int, waiting: int) -> None:
    """Make a team."""
    body = {"name": name, "weight": weight, "waiting_generations": waiting}
    say(api.post("teams", body=body), f"team {name} is made")


@teams.command("list")
@lister()
def list_teams(api: Api) -> None:
    """Show all teams."""
    listed(api.items("teams"), _COLUMNS)


@teams.command()
@click.argument("name")
@operator()
def show(api: Api, *, name: str) -> None:
    """Show one team."""
    shown(api.get("teams", name), _COLUMNS)


@teams.command()
@click.argument("name")
@confirmed
@changer()
def remove(api: Api, *, name: str, yes: bool) -> None:
    """Remove a team that has no apps and no budgets. What it spent stays in the ledger."""
    confirm(f"Removing team {name}", yes=yes)
    api.delete("teams", name)
    say({"removed": name}, f"team {name} is removed")

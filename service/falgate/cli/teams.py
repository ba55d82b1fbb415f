"""`falgate teams`: make, list and remove teams."""

import click

from falgate.accounts.directory import Team
from falgate.admin.api.shapes import TeamShown
from falgate.admin.service import AdminService
from falgate.cli.operating import as_json, operate, tabulate, tell

_COLUMNS = (
    "name",
    "weight",
    "waiting_generations",
    "limits.requests_per_second",
    "limits.generations_per_minute",
    "limits.generations_at_once",
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
@as_json
def create(*, name: str, weight: int, waiting: int, plain: bool) -> None:
    """Make a team."""
    team = Team(weight=weight, waiting_generations=waiting)
    operate(lambda admin: admin.teams.create(name, team))
    tell(TeamShown.of(name, team), f"team {name} is made", plain=plain)


@teams.command("list")
@as_json
def list_teams(*, plain: bool) -> None:
    """Show all teams."""
    found = operate(lambda admin: admin.teams.all())
    tabulate([TeamShown.of(name, team) for name, team in found.items()], _COLUMNS, plain=plain)


@teams.command()
@click.argument("name")
@as_json
def show(*, name: str, plain: bool) -> None:
    """Show one team."""
    shown = TeamShown.of(name, operate(lambda admin: admin.teams.show(name)))
    tabulate([shown], _COLUMNS, plain=plain)


@teams.command()
@click.argument("name")
@as_json
def remove(*, name: str, plain: bool) -> None:
    """Remove a team that has no apps and no budgets. What it spent stays in the ledger."""

    async def gone(admin: AdminService) -> None:
        await admin.teams.remove(name)

    operate(gone)
    tell({"removed": name}, f"team {name} is removed", plain=plain)

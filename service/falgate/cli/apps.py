"""`falgate apps`: make, list and remove the apps of teams."""

import click

from falgate.api.admin.shapes import AppShown
from falgate.cli.operating import as_json, operate, tabulate, tell
from falgate.core.directory import App
from falgate.flow.administer import Administration

_COLUMNS = (
    "name",
    "team",
    "limits.requests_per_second",
    "limits.generations_per_minute",
    "limits.generations_at_once",
)


@click.group()
def apps() -> None:
    """Apps, each named within its team: web/shop. `falgate limits set app:web/shop` limits one."""


@apps.command()
@click.argument("name")
@as_json
def create(*, name: str, plain: bool) -> None:
    """Make an app, TEAM/APP."""
    app = operate(lambda admin: admin.apps.create(name, App()))
    tell(AppShown.of(name, app), f"app {name} is made", plain=plain)


@apps.command("list")
@click.option("--team", default="", help="Only this team's.")
@as_json
def list_apps(*, team: str, plain: bool) -> None:
    """Show all apps."""
    found = operate(lambda admin: admin.apps.all(team))
    tabulate([AppShown.of(name, app) for name, app in found.items()], _COLUMNS, plain=plain)


@apps.command()
@click.argument("name")
@as_json
def show(*, name: str, plain: bool) -> None:
    """Show one app, TEAM/APP."""
    shown = AppShown.of(name, operate(lambda admin: admin.apps.show(name)))
    tabulate([shown], _COLUMNS, plain=plain)


@apps.command()
@click.argument("name")
@as_json
def remove(*, name: str, plain: bool) -> None:
    """Remove an app whose keys are revoked. What it spent stays in the ledger."""

    async def gone(admin: Administration) -> None:
        await admin.apps.remove(name)

    operate(gone)
    tell({"removed": name}, f"app {name} is removed", plain=plain)

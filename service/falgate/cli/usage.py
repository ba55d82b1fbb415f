"""`falgate usage`: what was asked for, bought, booked and saved, from the days' roll-ups."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import click

from falgate.cli.client import admin_api
from falgate.cli.options import from_day, of_books, through, to_day
from falgate.cli.output import Column, table
from falgate.money.usage import GROUPS, groups

_ALWAYS = {"answers", "booked_usd"}
_NOTHING = {0, "0.00"}


@click.command()
@click.option(
    "--by",
    default="team",
    show_default=True,
    help=f"Of {', '.join(GROUPS)}, any number by commas; '' for one row.",
)
@click.option("--team", default="", help="Only this team's.")
@from_day
@to_day
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@of_books
@through
def usage(
    *, by: str, team: str, first: date | None, last: date | None, form: str, books: str
) -> None:
    """Show answers, purchases and money, grouped as you like; by default of this month."""
    grouped = groups(by)
    query = {"by": ",".join(grouped), "from": first, "to": last, "books": books, "team": team}
    with admin_api() as api:
        if form == "csv":
            click.echo(api.text("usage.csv", **query), nl=False)
            return
        report = api.get("usage", **query)
    if form == "json":
        click.echo(json.dumps(report))
    else:
        _table(grouped, report)


def _table(by: Sequence[str], report: dict[str, Any]) -> None:
    """For people: columns of which the period has nothing are left out; CSV and JSON have all."""
    total = report["total"]
    names = [name for name in total if name in _ALWAYS or total[name] not in _NOTHING]
    columns = [Column(name, name.replace("_usd", " $").replace("_", " ")) for name in (*by, *names)]
    rows = [[column.cell(row) for column in columns] for row in report["rows"]]
    summed = ["total" if at == 0 else "" for at in range(len(by))]
    summed += [column.cell(total) for column in columns[len(by) :]]
    click.echo(f"{report['from']} to {report['to']}")
    table([column.name for column in columns], [*(rows if by else []), summed])
    if (share := report["reconciled_share"]) is not None:
        click.echo(f"{float(share):.0%} of what is booked is reconciled with fal's billing")

"""`falgate models show`: one model, its arguments, and what is held for it."""

import json
from typing import Any

import click

from falgate.cli.client import Api, operator
from falgate.cli.options import wants_json
from falgate.cli.output import Column, shown, table, usd
from falgate.core.printable import escaped

_COLUMNS = (
    Column("endpoint", "model"),
    Column("title"),
    Column("category"),
    Column("source"),
    Column("at_once", "pictures at once"),
    Column("sizes"),
    Column("price_version", "prices of"),
    Column("held_usd", "held for one", usd),
    Column("held_most_usd", "held at most", usd),
    Column("retires"),
    Column("successor"),
)


@click.command()
@click.argument("endpoint")
@operator()
def show(api: Api, *, endpoint: str) -> None:
    """Show a model: where its description is from, its arguments, and what is held at most."""
    found: dict[str, Any] = api.get("model", endpoint_id=endpoint)
    if wants_json():
        click.echo(json.dumps(found))
        return
    shown(found, _COLUMNS)
    for term in found["price_terms"]:
        click.echo(escaped(f"{'price':18}{term}"))
    click.echo()
    table(
        ["argument", "default", "values"],
        [[each["name"], each["default"] or "", each["values"]] for each in found["arguments"]],
    )

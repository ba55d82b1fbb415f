"""`falgate models form`: a model's arguments, as the fields of a form."""

import json
from typing import Any

import click

from falgate.cli.client import Api, operator
from falgate.cli.options import wants_json
from falgate.cli.output import table, word


@click.command()
@click.argument("endpoint")
@operator()
def form(api: Api, *, endpoint: str) -> None:
    """Show a model's arguments, in order, as a page would ask for them."""
    found: dict[str, Any] = api.get("models", endpoint.replace("/", ":"), "form")
    if wants_json():
        click.echo(json.dumps(found))
        return
    table(["argument", "kind", "default", "values"], [_row(each) for each in found["fields"]])


def _row(field: dict[str, Any]) -> list[str]:
    needed = "required" if field["required"] else word(field["default"])
    limits = (field["minimum"], field["maximum"])
    between = f"{word(limits[0])} to {word(limits[1])}" if limits != (None, None) else ""
    return [field["name"], field["kind"], needed, ", ".join(map(str, field["values"])) or between]

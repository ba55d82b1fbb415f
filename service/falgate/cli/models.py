"""`falgate models`: what is served, until when, and which apps call it."""

import click

from falgate.cli.aliases import alias, aliases
from falgate.cli.client import Api, lister
from falgate.cli.model_files import add, check
from falgate.cli.model_form import form
from falgate.cli.model_show import show
from falgate.cli.options import of_books
from falgate.cli.output import Column, listed, moment
from falgate.cli.retire import retire

_COLUMNS = (
    Column("endpoint", "model", whole=True),
    Column("retires"),
    Column("days_left", "days left"),
    Column("gone_at", "gone since", moment),
    Column("successor", whole=True),
    Column("afterwards", "then", wide=True),
    Column("apps", "called by"),
    Column("price_version", "prices of"),
)


@click.group()
def models() -> None:
    """Models: what is served and until when, and the files that describe more of them."""


models.add_command(add)
models.add_command(check)
models.add_command(show)
models.add_command(form)
models.add_command(alias)
models.add_command(aliases)
models.add_command(retire)


@models.command("list")
@of_books
@lister()
def list_models(api: Api, *, books: str) -> None:
    """Show all models, with the apps that called each one in the last 30 days."""
    listed(api.items("models", books=books), _COLUMNS)

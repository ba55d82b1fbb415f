"""`falgate jobs`: the purchases under way."""

from typing import Any

import click

from falgate.cli.client import Api, lister
from falgate.cli.options import at_most, of_books, wants_json
from falgate.cli.output import Column, duration, listed, moment, say

_COLUMNS = (
    Column("id", "job", short=True),
    Column("team"),
    Column("app"),
    Column("key", wide=True),
    Column("model"),
    Column("number", "pictures"),
    Column("step"),
    Column("age_s", "for", duration),
    Column("held_usd", "held $"),
    Column("trouble"),
    Column("position", wide=True),
    Column("request_id", "fal's id", wide=True),
    Column("submitted_at", "sent", moment, wide=True),
    Column("lease_until", "lease", moment, wide=True),
)
_PAGE = 500


@click.command()
@click.option("--team", help="Of this team.")
@click.option("--app", help="Of this app: TEAM/APP, or its name with --team.")
@at_most("How many jobs.")
@of_books
@lister()
def jobs(api: Api, *, number: int, **wanted: Any) -> None:
    """Show purchases under way, the oldest first: their steps, ages and troubles."""
    found = api.get("jobs", limit=min(number, _PAGE), **wanted)
    if wants_json():
        say(found, "")
        return
    listed(found["items"], _COLUMNS)
    if not found["complete"]:
        click.echo("Not all jobs were looked at: there are more than 500.", err=True)

"""`falgate activity`: what was asked for, bought and saved by the hour, day or month."""

from datetime import date
from typing import Any

import click

from falgate.cli.client import Api, lister
from falgate.cli.options import from_day, of_books, to_day, wants_json
from falgate.cli.output import Column, listed, say

_STEPS = ("hour", "day", "month")
_COLUMNS = (
    Column("start", whole=True),
    Column("answers"),
    Column("hits"),
    Column("partial", wide=True),
    Column("joined"),
    Column("misses"),
    Column("fresh", wide=True),
    Column("hit_share", "hit share", wide=True),
    Column("purchases"),
    Column("bought"),
    Column("booked_usd", "booked $"),
    Column("saved_usd", "saved $"),
    Column("saved.hit_usd", "by hits $", wide=True),
    Column("saved.derived_usd", "converted $", wide=True),
    Column("saved.partial_usd", "in part $", wide=True),
    Column("saved.joined_usd", "joined $", wide=True),
)


@click.command()
@click.option("--by", type=click.Choice(_STEPS), default="day", show_default=True)
@from_day
@to_day
@click.option("--team", help="Of this team.")
@click.option("--app", help="Of this app: TEAM/APP, or its name with --team.")
@of_books
@lister()
def activity(api: Api, *, by: str, first: date | None, last: date | None, **wanted: Any) -> None:
    """Show a row for each hour of today, day of this month, or month of the last twelve."""
    found = api.get("activity", by=by, **{"from": first, "to": last, **wanted})
    if wants_json():
        say(found, "")
        return
    listed([*found["items"], {**found["total"], "start": "total"}], _COLUMNS)

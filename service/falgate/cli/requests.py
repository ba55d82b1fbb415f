"""`falgate requests`: the log of the last days of requests, and the path of each of them."""

from typing import Any, get_args

import click

from falgate.cli.client import Api, lister, operator
from falgate.cli.options import at_most, wants_json
from falgate.cli.output import Column, listed, moment, say, shown, usd
from falgate.core.events import Source
from falgate.core.refused import Reason

_OUTCOMES = (*get_args(Source), "answered", "refused")
_COLUMNS = (
    Column("at", form=moment, whole=True),
    Column("outcome"),
    Column("status"),
    Column("reason"),
    Column("team"),
    Column("app"),
    Column("key", wide=True),
    Column("model", wide=True),
    Column("number"),
    Column("pictures", wide=True),
    Column("billed_usd", "billed $"),
    Column("saved_usd", "saved $"),
    Column("took_ms", "ms"),
    Column("id", "request", whole=True),
)
_ONE = (
    *_COLUMNS,
    Column("route"),
    Column("error_type", "error"),
    Column("upstream"),
    Column("waited_ms", "waited ms"),
    Column("job"),
)


@click.group()
def requests() -> None:
    """The log of the last days of requests, hits and refusals too."""


@requests.command("list")
@click.option("--from", "first", metavar="DAY|TIME", help="The first local day, or a time.")
@click.option("--to", "last", metavar="DAY|TIME", help="The last local day, or the time before.")
@click.option("--team", help="Of this team.")
@click.option("--app", help="Of this app: its name, or TEAM/APP.")
@click.option("--key", help="Of this key, by its id.")
@click.option("--model", help="For this model.")
@click.option("--outcome", type=click.Choice(_OUTCOMES), help="That ended so.")
@click.option("--reason", type=click.Choice(get_args(Reason)), help="Refused for this reason.")
@click.option("--status", type=click.IntRange(100, 599), help="With this status.")
@at_most("How many.")
@lister()
def list_requests(api: Api, *, number: int, first: str, last: str, **wanted: Any) -> None:
    """Show requests, the newest first. `number` is how many equal ones a line stands for."""
    query = {**wanted, "from": first, "to": last}
    listed(api.items("requests", number=number, **query), _COLUMNS)


@requests.command()
@click.argument("request_id")
@operator()
def show(api: Api, *, request_id: str) -> None:
    """Show what is known of one request: its steps, its job, and what that cost."""
    found = api.get("requests", request_id)
    if wants_json():
        say(found, "")
        return
    if found["request"]:
        shown(found["request"], _ONE)
    for step in found["path"]:
        click.echo(f"{step['at'] or '-':30} {step['step'].replace('_', ' ')}")
    if job := found["job"]:
        click.echo(f"job {job['id']} is {job['state']}: {usd(job['charged_usd'])} charged")

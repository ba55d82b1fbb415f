"""`falgate deliveries`: webhooks, whether they arrived, and sending one again."""

from typing import Any, get_args

import click

from falgate.cli.client import Api, lister, operator
from falgate.cli.options import at_most
from falgate.cli.output import Column, listed, moment, say, shown
from falgate.webhooks.delivery import State

_COLUMNS = (
    Column("request_id", "request", whole=True),
    Column("state"),
    Column("attempts", "tries"),
    Column("last_outcome", "last"),
    Column("next_attempt_at", "next", moment, wide=True),
    Column("ended_at", "ended", moment, wide=True),
    Column("team", wide=True),
    Column("app", wide=True),
    Column("target"),
)


@click.group()
def deliveries() -> None:
    """Webhooks: what apps are told of the ends of their requests, and whether it arrived."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
@click.option("--app", default="", metavar="TEAM[/APP]", help="Only this team's or this app's.")
@at_most("How many.")
@lister()
def list_deliveries(api: Api, *, state: State | None, app: str, number: int) -> None:
    """Show those that wait, the next one first; then those that failed, then those that arrived."""
    # One that was tried between two pages comes twice, and is shown as it is now.
    found: dict[str, Any] = {}
    for each in api.items("deliveries", number=number, state=state, app=app):
        found[each["request_id"]] = each
    listed(list(found.values()), _COLUMNS)


@deliveries.command()
@click.argument("request_id")
@operator()
def show(api: Api, *, request_id: str) -> None:
    """Show the webhook of one request."""
    shown(api.get("deliveries", request_id), _COLUMNS)


@deliveries.command()
@click.argument("request_id")
@operator()
def resend(api: Api, *, request_id: str) -> None:
    """Send the webhook of one request again, whether it arrived before or not."""
    sent = api.post("deliveries", request_id, "resend")
    say(sent, f"the webhook of {request_id} is sent again")

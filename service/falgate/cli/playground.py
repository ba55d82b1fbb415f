"""`falgate playground`: quote and buy a request with an app's key, without its secret."""

import uuid
from typing import Any

import click
import msgspec

from falgate.cli.client import Api, operator
from falgate.cli.options import wants_json
from falgate.cli.output import Column, moment, say, shown, usd
from falgate.cli.quote import words
from falgate.core.problems import Invalid

_COLUMNS = (
    Column("request_id", "request", whole=True),
    Column("team"),
    Column("app"),
    Column("key", whole=True),
    Column("model", whole=True),
    Column("step"),
    Column("position"),
    Column("began_at", "began", moment),
    Column("ended_at", "ended", moment),
    Column("source"),
    Column("billed_usd", "billed", usd),
    Column("saved_usd", "saved", usd),
    Column("names", "pictures"),
    Column("error.detail", "error"),
)
_OPTIONS = (
    click.argument("body"),
    click.option("--key", "key_id", default="", help="Id of the key that pays."),
    click.option("--app", default="", metavar="TEAM/APP", help="Or of the app whose key pays."),
    click.option("--model", default="", help="Endpoint; by default the first that does not end."),
    click.option(
        "--cache-control",
        default="",
        type=click.Choice(["", "no-cache", "no-store", "only-if-cached"]),
        help="As an app would send it.",
    ),
    click.option("--variation", default="", help="As an app would send X-Falgate-Variation."),
)


def _request(command: Any) -> Any:
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


@click.group()
def playground() -> None:
    """Try requests as an app makes them; they are charged to it. Needs a running gateway."""


@playground.command()
@_request
@operator(running=True)
def quote(api: Api, *, body: str, key_id: str, **asked: str) -> None:
    """What a request with this JSON BODY would cost now, and what would refuse it."""
    found = api.post("playground", "quote", body=_body(body, key=key_id, **asked))
    say(found, words(found))


@playground.command()
@_request
@operator(running=True)
def buy(api: Api, *, body: str, key_id: str, **asked: str) -> None:
    """Buy the answer to this JSON BODY, and print the id of the request."""
    found = api.post("playground", body=_body(body, key=key_id, **asked))
    say(found, found["request_id"])


@playground.command()
@click.argument("request_id", type=click.UUID)
@operator(running=True)
def show(api: Api, *, request_id: uuid.UUID) -> None:
    """How a request stands, and its answer."""
    found = api.get("playground", str(request_id))
    names = [each["name"] for each in found["pictures"]]
    shown(found | {"names": names} if not wants_json() else found, _COLUMNS)


def _body(text: str, **asked: str) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"BODY is no JSON: {error}") from None
    return {**asked, "request": request}

"""`falgate cache search` and `request`: pictures are looked for, and their requests shown."""

from datetime import date
from itertools import islice
from typing import Any

import click
from click import echo

from falgate.cli.client import Api, lister, operator
from falgate.cli.options import APP, AppName, at_most, from_day, to_day, wants_json
from falgate.cli.output import Column, escaped_lines, listed, moment, say, usd
from falgate.core.problems import Invalid

_PAGE = 200
_FOUND = (
    Column("name", short=True, whole=True),
    Column("made_at", "made", moment),
    Column("app"),
    Column("model", wide=True),
    Column("value_usd", "value", usd),
    Column("uses"),
    Column("used_at", "used", moment, wide=True),
    Column("pinned", wide=True),
    Column("prompt"),
)
picture_argument = click.argument("picture")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--team", default="", metavar="NAME", help="Only those that it bought.")
@click.option("--app", type=APP, metavar="TEAM/APP", help="Only those that it bought.")
@click.option("--model", default="", metavar="ENDPOINT", help="Only those of this model.")
@click.option("--quality", default="", help="Only those of this quality.")
@click.option("--size", default="", metavar="1024x1024", help="Only those of this size in pixels.")
@click.option("--pinned", is_flag=True, help="Only pinned ones.")
@from_day
@to_day
@at_most()
@lister(pictures=True)
def search(
    api: Api,
    *,
    words: tuple[str, ...],
    app: AppName | None,
    first: date | None,
    last: date | None,
    number: int,
    **given: Any,
) -> None:
    """Show pictures with all of these WORDS in their stored prompt, or all pictures.

    By the last purchase for their pool, newest first.
    """
    body = {
        **given,
        "words": " ".join(words),
        "app": str(app or ""),
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
    }
    listed(list(islice(_each(api, body, number), number)), _FOUND)


def _each(api: Api, body: dict[str, Any], number: int | None) -> Any:
    cursor: str | None = ""
    while cursor is not None:
        limit = min(_PAGE, number or _PAGE)
        page = api.post("gallery", "find", body={**body, "cursor": cursor, "limit": limit})
        yield from page["items"]
        cursor = page["next_cursor"]


@click.command()
@picture_argument
@click.option(
    "--as",
    "form",
    type=click.Choice(["curl", "python", "javascript"]),
    default="curl",
    show_default=True,
    help="What for.",
)
@operator(pictures=True)
def request(api: Api, *, picture: str, form: str) -> None:
    """Show the request that made a picture, to send it again."""
    found = api.get("cache", "pictures", file_name(picture), "request")
    if wants_json():
        say(found, "")
    elif found["snippets"] is None:
        raise Invalid("the request of this picture is not stored: its app does not keep prompts")
    else:
        echo(escaped_lines(found["snippets"][form]))


def file_name(picture: str) -> str:
    """A picture's file name, of which its URL may have been given."""
    return picture.partition("?")[0].rpartition("/")[2]

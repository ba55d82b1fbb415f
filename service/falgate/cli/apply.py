"""`falgate apply` and `falgate export`: teams, apps, budgets and limits as a file."""

import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

from falgate.admin.config import FILE_BYTES_MAX, check_depth
from falgate.cli.client import Api, admin_api, lister
from falgate.cli.options import of_books, through, wants_json
from falgate.cli.output import Column, listed, say
from falgate.core.problems import Invalid

_CHANGES = 2
"""What `apply --check` ends with where something would change."""
_COLUMNS = (
    Column("action"),
    Column("what"),
    Column("subject"),
    Column("before"),
    Column("after"),
    Column("blocked"),
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--yes", is_flag=True, help="Do it; without this the plan is only shown.")
@click.option("--prune", is_flag=True, help="Also remove what the file does not name.")
@click.option("--check", is_flag=True, help="End with 2 where something would change.")
@of_books
@lister()
@click.pass_context
def apply(
    context: click.Context, api: Api, *, file: str, yes: bool, prune: bool, check: bool, books: str
) -> None:
    """Make teams, apps, budgets and limits as FILE says, or stdin where it is `-`.

    What FILE does not say of them stays, and a second time changes nothing. Keys and their own
    budgets are in no file, and stay as they are.
    """
    if yes and check:
        raise click.UsageError("--yes and --check exclude each other")
    body = {"file": _text(file), "prune": prune}
    done = api.post("config", "apply" if yes else "plan", body=body, books=books)
    _tell(done)
    if check and done["steps"]:
        context.exit(_CHANGES)


@click.command()
@of_books
@through
def export(*, books: str) -> None:
    """Print such a file of what there is."""
    with admin_api() as api:
        click.echo(api.text("config", books=books), nl=False)


def _text(file: str) -> str:
    if file == "-":
        return _read(sys.stdin.buffer, "stdin")
    with Path(file).open("rb") as opened:
        return _read(opened, file)


def _read(opened: BinaryIO, name: str) -> str:
    found = opened.read(FILE_BYTES_MAX + 1)
    if len(found) > FILE_BYTES_MAX:
        raise Invalid(f"{name} is larger than {FILE_BYTES_MAX} bytes: split it")
    try:
        text = found.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{name} is no text") from None
    check_depth(text)  # before anything is opened
    return text


def _tell(done: dict[str, Any]) -> None:
    number = len(done["steps"])
    changes = "1 change" if number == 1 else f"{number} changes"
    made = "made" if done["applied"] else "to make; give --yes to make them"
    if number and not wants_json():
        listed(done["steps"], _COLUMNS)
    say(done, f"{changes} {made}" if number else "Nothing to change")

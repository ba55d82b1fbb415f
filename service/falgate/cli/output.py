"""How commands print what the API answers: JSON as it is, words, or columns given as data."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from falgate.cli.options import wants_json, wants_wide
from falgate.core.printable import escaped

NONE = "none"
_SHORT = 16
_WIDE = 1_000
_UNITS_S = ((86_400, "d"), (3_600, "h"), (60, "m"))


def word(value: Any) -> str:
    """Any value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    return NONE if value in (None, "", {}) else str(value)


def limit(value: Any) -> str:
    """A number of which 0 sets no limit."""
    return str(value) if value else NONE


def usd(value: Any) -> str:
    """An amount of the API's in dollars."""
    if not value:
        return NONE
    return f"-${value[1:]}" if value.startswith("-") else f"${value}"


def moment(value: Any) -> str:
    """An instant as RFC 3339 gives it, to the minute and in UTC."""
    if not value:
        return NONE
    return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M}Z"


def duration(value: Any) -> str:
    """Seconds, in the largest unit of which they are a whole number: 24 hours are 1d."""
    if not value:
        return NONE
    for unit_s, name in _UNITS_S:
        if value % unit_s == 0:
            return f"{value // unit_s}{name}"
    return f"{value}s"


class Column(NamedTuple):
    """What of a record is printed.

    Attributes:
        path: The field, "limits.generations_at_once" for one within another.
        heading: Above it; "" for the field's own name.
        form: Makes words of it.
        wide: Whether it is printed only where all columns are wanted.
        short: Whether a terminal shows its beginning only.
        whole: Whether it is never broken into lines.
    """

    path: str
    heading: str = ""
    form: Callable[[Any], str] = word
    wide: bool = False
    short: bool = False
    whole: bool = False

    @property
    def name(self) -> str:
        """Its heading."""
        return self.heading or self.path.rpartition(".")[2].replace("_", " ")

    def cell(self, row: Mapping[str, Any]) -> str:
        """Its words for one record; nothing in them moves the cursor."""
        value: Any = row
        for name in self.path.split("."):
            value = None if value is None else value.get(name)
        return escaped(self.form(value))


Columns = Sequence[Column]


def limit_columns(path: str = "") -> Columns:
    """The columns of an account's limits, which are at this path."""
    return (
        Column(f"{path}requests_per_second", "requests/s", limit),
        Column(f"{path}generations_per_minute", "bought/min", limit),
        Column(f"{path}generations_at_once", "at once", limit),
    )


def say(answer: Any, words: str) -> None:
    """Say what was done: in words, or the API's JSON."""
    click.echo(json.dumps(answer) if wants_json() else escaped_lines(words))


def escaped_lines(words: str) -> str:
    """Lines of which none does anything to a terminal."""
    return "\n".join(map(escaped, words.split("\n")))


def listed(rows: Sequence[Mapping[str, Any]], columns: Columns) -> None:
    """Print records as JSON or as a table: columns on a terminal, else one line a record."""
    if wants_json():
        click.echo(json.dumps(rows))
        return
    wide = wants_wide()
    chosen = [column for column in columns if wide or not column.wide]
    table(
        [column.name for column in chosen],
        [[column.cell(row) for column in chosen] for row in rows],
        short=[column.short and not wide for column in chosen],
        whole=[column.whole for column in chosen],
    )


def shown(answer: Mapping[str, Any], columns: Columns) -> None:
    """Print one record: as JSON, or a line for each of its fields."""
    if wants_json():
        click.echo(json.dumps(answer))
        return
    width = max(len(column.name) for column in columns) + 2
    for column in columns:
        click.echo(f"{column.name:{width}}{column.cell(answer)}")


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    short: Sequence[bool] = (),
    whole: Sequence[bool] = (),
) -> None:
    """Print words in columns; where nobody looks, separated by tabs and one line a row."""
    if not rows:
        click.echo(NONE)
    elif not sys.stdout.isatty():
        for row in (names, *rows):
            click.echo("\t".join(row))
    else:
        short = short or [False] * len(names)
        whole = whole or [False] * len(names)
        drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for name, unbroken in zip(names, whole, strict=True):
            money = name.endswith("$")
            drawn.add_column(
                name,
                no_wrap=unbroken or money,
                # What has no room is seen to have none: half an amount is another amount.
                overflow="ellipsis" if unbroken or money else "fold",
                justify="right" if money else "left",
            )
        for row in rows:
            cells = zip(row, short, strict=True)
            drawn.add_row(*(Text(_cut(cell) if cut else cell) for cell, cut in cells))
        Console(width=_WIDE if wants_wide() else None, highlight=False).print(drawn)


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."

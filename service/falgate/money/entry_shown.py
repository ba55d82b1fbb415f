"""Ledger entries as people and their programs see them: as fields, and as rows of a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from falgate.core.money import dollars
from falgate.money.entry import read

_MONEY = {
    "held": "held",
    # The field's name dates from when it was taken for what fal bills.
    "billed": "booked",
    "overrun": "overrun",
    "list": "list",
    "saved": "saved",
    "forgiven": "forgiven",
    "raised": "raised",
}
_PLAIN = ("asked", "reused", "bought")
COLUMNS = (
    *("entry", "at", "kind", "outcome", "job", "team", "app", "key", "account", "model"),
    *("image_size", "quality", "output_format", *_PLAIN),
    *(f"{column}_usd" for column in _MONEY.values()),
    *("request_id", "why", "who", "price_version", "windows", "reconciled"),
)
"""Columns of an entry as it is shown: in a table, as CSV and as JSON."""


def shown(entry: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return an entry for people and their programs: money in dollars, time in UTC.

    Raises:
        EntryStrange: It cannot be read.
    """
    read(entry, fields)
    at = datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)
    told = {"entry": entry, "at": at.isoformat(timespec="milliseconds"), **fields}
    for name, column in _MONEY.items():
        if name in told:
            told[f"{column}_usd"] = dollars(int(told.pop(name)))
    return {name: told[name] for name in COLUMNS if name in told}


_NUMBERS = frozenset({*_PLAIN, *(f"{column}_usd" for column in _MONEY.values())})
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would take for the beginning of a formula, some after skipping blanks."""


def csv_header() -> str:
    """Return the first line of entries as CSV."""
    return _line(COLUMNS)


def csv_rows(entries: Iterable[Mapping[str, str]]) -> str:
    """Return shown entries as lines of CSV; no text of theirs is a formula in a spreadsheet."""
    return "".join(_line([_cell(name, each.get(name, "")) for name in COLUMNS]) for each in entries)


def _cell(name: str, text: str) -> str:
    unsafe = name not in _NUMBERS and text.lstrip(" ").startswith(_FORMULAS)
    return f"'{text}" if unsafe else text


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()

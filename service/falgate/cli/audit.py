"""`falgate audit`: what operators changed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from falgate.cli.client import Api, lister
from falgate.cli.options import at_most, wants_json
from falgate.cli.output import NONE, Column, duration, listed, moment, word
from falgate.core.money import dollars

_COLUMNS = (
    Column("at", form=moment, whole=True),
    Column("who"),
    Column("action"),
    Column("subject"),
    Column("change"),
)
_OF_MONEY = frozenset({"budget", "overage", "raise", "reset"})
_AMOUNTS = frozenset({"", "limit", "raised", "forgiven"})
_PERIODS = frozenset({"cache.max_age_s"})


@click.command()
@at_most("How many lines.")
@lister()
def audit(api: Api, *, number: int) -> None:
    """Show the newest changes of teams, apps, keys, budgets, limits, stops: who, when and what."""
    lines = api.items("audit", number=number)
    if wants_json():
        listed(lines, ())
    else:
        listed([{**line, "change": _told(line)} for line in lines], _COLUMNS)


def _told(line: dict[str, Any]) -> str:
    what = _changed(line)
    return f"{what} ({line['why']})" if line["why"] else what


def _changed(line: dict[str, Any]) -> str:
    if line["after"] is None:
        return "removed"
    money = line["action"] in _OF_MONEY
    before = dict(_flat(line["before"], money=money))
    after = dict(_flat(line["after"], money=money))
    changed = [name for name in after if after[name] != before.get(name, NONE)]
    words = [f"{name.removesuffix('_s') or 'to'} {after[name]}" for name in changed]
    return ", ".join(words if line["before"] is not None else ["made", *words])


def _flat(record: Any, path: str = "", *, money: bool) -> Iterator[tuple[str, str]]:
    """Each value of a record with its path, in words: amounts in dollars, instants as times."""
    if isinstance(record, dict):
        for name, value in record.items():
            yield from _flat(value, f"{path}.{name}" if path else name, money=money)
    elif record is not None:
        yield path, _spelt(path, record, money=money)


def _spelt(path: str, value: Any, *, money: bool) -> str:
    if value in (0, "", [], False):
        return NONE
    if money and path in _AMOUNTS and isinstance(value, int):
        return f"${dollars(value)}"
    if path in _PERIODS:
        return duration(value)
    if path.endswith("_s") and isinstance(value, int):
        return moment(datetime.fromtimestamp(value, UTC).isoformat())
    return word(value)

"""`falgate audit`: what operators changed."""

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from falgate.admin.api.shapes import AuditShown
from falgate.cli.operating import as_json, operate, tabulate


class Line(msgspec.Struct, frozen=True):
    """A line of the audit log, for people."""

    at: str
    who: str
    action: str
    subject: str
    change: str


@click.command()
@click.option(
    "--limit",
    "number",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many lines.",
)
@as_json
def audit(*, number: int, plain: bool) -> None:
    """Show the newest changes of teams, apps, keys, budgets and limits: who, when and what."""
    lines = [AuditShown.of(line) for line in operate(lambda admin: admin.audit(number))]
    if plain:
        tabulate(lines, (), plain=True)
        return
    told = [
        Line(line.at[:19].replace("T", " "), line.who, line.action, line.subject, _told(line))
        for line in lines
    ]
    tabulate(told, Line.__struct_fields__, plain=False)


def _told(line: AuditShown) -> str:
    what = _changed(line)
    return f"{what} ({line.why})" if line.why else what


def _changed(line: AuditShown) -> str:
    if line.after is None:
        return "removed"
    before, after = dict(_flat(line.before)), dict(_flat(line.after))
    changed = [name for name in after if after[name] != before.get(name, "")]
    words = [f"{name or 'to'} {after[name] or 'none'}" for name in changed]
    return ", ".join(words if line.before is not None else ["made", *words])


def _flat(record: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a record with its path; "" for those that say nothing, such as 0."""
    if isinstance(record, dict):
        for name, value in record.items():
            yield from _flat(value, f"{path}.{name}" if path else name)
    elif record is not None:
        yield path, "" if record in (0, "", False, []) else str(record)

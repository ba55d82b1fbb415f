"""What the benchmark tells: sections of text and tables, written as Markdown."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from bench import machine
from bench.load import CONNECTIONS, Load, median

_QUICK = 4
_FINE_US = 100
"""Below it, a figure has a decimal place."""

Loads = Mapping[tuple[str, int], Sequence[Load]]


class Setup(NamedTuple):
    """How much is measured.

    Attributes:
        folder: For the files of one part.
        rounds: Of each load; figures are medians of them.
        seconds: That each load lasts.
        quick: Whether it is only to be seen that everything runs.
    """

    folder: Path
    rounds: int
    seconds: int
    quick: bool = False

    @property
    def connections(self) -> Sequence[int]:
        """How many connections at once."""
        return (_QUICK,) if self.quick else CONNECTIONS

    def several(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


class Table(NamedTuple):
    """Rows under a head; all cells after the first are figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """One part of the report.

    Attributes:
        title: Its heading.
        text: What was measured, and how.
        tables: The figures.
        failed: What was not measured, and why.
        loads: The figures of the loads, for the chart.
    """

    title: str
    text: str
    tables: Sequence[Table] = ()
    failed: Mapping[str, str] = MappingProxyType({})
    loads: Loads = MappingProxyType({})


def load_table(loads: Loads) -> Table:
    """Medians of all loads, with the least and the greatest."""
    head = ["server", "at once", "requests/s", "p50 ms", "p99 ms", "CPU µs per request"]
    with_redis = any(load.redis_us for found in loads.values() for load in found)
    rows = []
    for name in dict.fromkeys(name for name, _ in loads):
        for (other, connections), found in loads.items():
            if other == name:
                redis = [_cpu(found, "redis_us")] if with_redis else []
                rows.append([name, f"{connections}", *_figures(found), *redis])
    return Table([*head, "Redis's"] if with_redis else head, rows)


def comparison(
    title: str,
    loads: Loads,
    reference: str,
    compare: Callable[[Sequence[Load], Sequence[Load]], str],
) -> Table:
    """Each server beside one of them, with a column for each number of connections."""
    columns = list(dict.fromkeys(connections for _, connections in loads))
    rows = []
    for name in dict.fromkeys(name for name, _ in loads):
        pairs = [(loads.get((name, each)), loads.get((reference, each))) for each in columns]
        if name != reference:
            rows.append(
                [name, *(compare(ours, other) if ours and other else "" for ours, other in pairs)]
            )
    return Table([title, *map(str, columns)], rows)


def only(loads: Loads, *names: str) -> Loads:
    """The loads of these servers."""
    return {server: found for server, found in loads.items() if server[0] in names}


def _figures(found: Sequence[Load]) -> list[str]:
    return [
        spread(found, "rps", lambda value: f"{value:,.0f}"),
        spread(found, "p50_us", lambda value: f"{value / 1000:.2f}"),
        spread(found, "p99_us", lambda value: f"{value / 1000:.2f}"),
        _cpu(found, "cpu_us"),
    ]


def _cpu(found: Sequence[Load], field: str) -> str:
    if not any(getattr(load, field) for load in found):
        return ""
    return spread(found, field, lambda value: f"{value:,.{int(value < _FINE_US)}f}")


def spread(found: Sequence[Load], field: str, form: Callable[[float], str]) -> str:
    """Median of one figure, with the least and the greatest if there are several."""
    values = sorted(getattr(load, field) for load in found)
    middle = form(median(found, field))
    return middle if len(values) == 1 else f"{middle} ({form(values[0])}-{form(values[-1])})"


def markdown(sections: Sequence[Section], command: str, took_s: float) -> str:
    """The report."""
    now = f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC"
    parts = ["# The benchmark", f"`{command}` wrote this on {now}, in {took_s / 60:.1f} minutes."]
    parts += [_HOW, markdown_table(machine.table())]
    for section in sections:
        parts += [f"## {section.title}", section.text]
        parts += [markdown_table(table) for table in section.tables]
        parts += [f"**{name} was not measured**: {why}" for name, why in section.failed.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(table: Table) -> str:
    """A table in Markdown."""
    lines = [table.head, ["---", *["---:"] * (len(table.head) - 1)], *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_HOW = """\
Every figure was measured in this run. What is measured has one core to itself where there are two;
wrk, Redis, stubs and everything else have the other. All servers of a table run side by side and
are loaded in turn, and again in each round; a figure is the median of the rounds, with the least
and the greatest in brackets. CPU is user and system time of the server's process tree, without
Redis; it is the figure to compare, because other users of the machine disturb it least. A load with
an answer other than 200, of another length or body, or with a broken connection counts as failed.

[profiles.md](profiles.md) tells which changes made falgate what it is here, by which profile each
was found, and what stands in the way of more.\
"""

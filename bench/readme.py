"""The short form of the hits' table, in the README between two marks."""

import re

from bench.load import median
from bench.report import Loads, Table, markdown_table

_BEGIN, _END = "<!-- made by `make bench` -->", "<!-- end of what `make bench` makes -->"
_AT_ONCE = 32


def updated(text: str, loads: Loads) -> str:
    """The README with these figures."""
    rows = [
        [
            name,
            f"{median(found, 'rps'):,.0f}",
            f"{median(found, 'p50_us') / 1000:.2f}",
            f"{median(found, 'p99_us') / 1000:.2f}",
            f"{median(found, 'cpu_us'):,.0f}",
        ]
        for (name, connections), found in loads.items()
        if connections == _AT_ONCE
    ]
    head = ["server", "requests/s", "p50 ms", "p99 ms", "CPU µs per request"]
    table = markdown_table(Table(head, rows))
    between = re.compile(f"({_BEGIN}\n).*?({_END})", re.DOTALL)
    return between.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)

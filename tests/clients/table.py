"""Writes into a document which calls work with which versions of fal's clients.

`table.py DOCUMENT` runs the tests of the calls and writes what they proved, if all of them pass.
`table.py --collected DOCUMENT` writes what they would prove, as a test holds it against what is
written there.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

MATRIX = Path(__file__).parent / "calls"
TITLES = {
    "python": "Python, `fal_client`",
    "python-async": "Python, `fal_client`, asynchronous",
    "javascript": "JavaScript, `@fal-ai/client`, by `requestMiddleware`",
    "javascript-fetch": "JavaScript, `@fal-ai/client`, by `fetch`",
    "javascript-proxyurl": 'JavaScript, `proxyUrl: {url, when: "always"}` to falgate\'s own proxy',
    "javascript-proxied": "JavaScript, `requestMiddleware` to falgate's own proxy",
    "javascript-browser": 'JavaScript where it takes itself for in a browser, `proxyUrl: "..."`',
    "javascript-proxystring": 'JavaScript in Node, `proxyUrl: "..."`',
    "express": "`@fal-ai/server-proxy`, Express, before the newest `@fal-ai/client`",
    "hono": "`@fal-ai/server-proxy`, Hono, before the newest `@fal-ai/client`",
    "curl": "curl",
}
BEGINS, ENDS = "<!-- made by `make table` -->\n", "<!-- end of what `make table` makes -->\n"


class Cell(NamedTuple):
    """A call by a version of a client, and what is known to be wrong with it, if anything."""

    call: str
    group: str
    version: str
    defect: str


class Cells:
    """A plugin of pytest that notes the cells of the tests collected, and of those that passed."""

    def __init__(self) -> None:
        self.collected: list[Cell] = []
        self.passed: set[Cell] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what the tests are about, in their order."""
        self.collected = [
            Cell(*value)
            for item in session.items
            for name, value in item.user_properties
            if name == "cell" and isinstance(value, tuple)
        ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test proved, wherever it ran."""
        if report.when == "call" and report.passed:
            cells = [value for name, value in report.user_properties if name == "cell"]
            self.passed.update(Cell(*value) for value in cells if isinstance(value, list | tuple))


def version_order(version: str) -> list[int]:
    """What versions are sorted by."""
    return [int(part) for part in re.findall(r"\d+", version)]


def table(cells: list[Cell], defects: list[str]) -> str:
    """The calls of one client by its versions; a dash where a version was not tried."""
    found = {(cell.call, cell.version): cell.defect for cell in cells}
    calls = list(dict.fromkeys(cell.call for cell in cells))
    versions = sorted({cell.version for cell in cells}, key=version_order)
    lines = [f"| call | {' | '.join(versions)} |", f"|{' --- |' * (len(versions) + 1)}"]
    for call in calls:
        shown = []
        for version in versions:
            defect = found.get((call, version))
            if defect is None:
                shown.append("\N{EN DASH}")
                continue
            if defect and defect not in defects:
                defects.append(defect)
            shown.append(f"defect {defects.index(defect) + 1}" if defect else "pass")
        lines.append(f"| {call} | {' | '.join(shown)} |")
    return "\n".join(lines)


def rendered(cells: list[Cell]) -> str:
    """All tables, and the list of what is known to be wrong."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.group].append(cell)
    defects: list[str] = []
    tables = [f"### {title}\n\n{table(groups[group], defects)}" for group, title in TITLES.items()]
    listed = "\n".join(f"{number}. It {text}." for number, text in enumerate(defects, 1))
    return "\n\n".join([*tables, f"### Defects of the clients\n\n{listed}"]) + "\n\n"


def written(document: str, cells: list[Cell]) -> str:
    """The document with the tables between its marks."""
    before, _, rest = document.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return f"{before}{BEGINS}\n{rendered(cells)}{ENDS}{after}"


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit status is pytest's."""
    document = Path(arguments[-1])
    collecting = Cells()
    status = pytest.main(["--full", "--collect-only", "-qq", str(MATRIX)], plugins=[collecting])
    if status == 0 and "--collected" not in arguments:
        running = Cells()
        parallel = ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"]
        status = pytest.main(["--full", "-q", *parallel, str(MATRIX)], plugins=[running])
        missing = set(collecting.collected) - running.passed
        assert status != 0 or not missing, f"no test proved {missing}"
    if status == 0:
        document.write_text(written(document.read_text(), collecting.collected))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

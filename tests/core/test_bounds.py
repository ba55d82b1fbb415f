"""The page about bounds says what the code has, and the code's lists have all that is read."""

import re
from pathlib import Path

import pytest

from falgate.core.bounds import BODIES, CONSOLE_HEADERS, HEADERS, PARTS, QUERIES, Bound

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bounds.md"
SERVICE = ROOT / "service" / "falgate"
LISTS = {
    "Headers": HEADERS | CONSOLE_HEADERS,
    "Queries": QUERIES,
    "Parts of paths": PARTS,
    "Bodies": BODIES,
}

READERS = (
    "admin/api/*.py",
    "console/*.py",
    "http/*.py",
    "cache/directives.py",
    "fal/options.py",
    "jobs/callback.py",
)
_READ = re.compile(
    r"""(?: headers\.(?:get|getall)\( | first\.get\(b? | _named\([^,()]*(?:\[[^\]]*\])?,\ b
        | _field\(request,\ ) "([A-Za-z-]+)" """,
    re.VERBOSE,
)


def row(name: str, bound: Bound, *, code: bool) -> str:
    """A line of the page's tables."""
    return f"| {f'`{name}`' if code else name} | {bound.most:,} | {bound.beyond} |"


@pytest.mark.parametrize("title", LISTS)
def test_the_page_has_every_row_and_no_other(title: str) -> None:
    section = PAGE.read_text().split(f"\n## {title}\n")[1].partition("\n## ")[0]
    rows = [
        line
        for line in section.splitlines()
        if line.startswith("| ") and not line.endswith(("| beyond it |", "| --- |"))
    ]
    code = title in {"Headers", "Queries"}

    assert rows == [row(name, bound, code=code) for name, bound in LISTS[title].items()]


def test_every_header_that_is_read_anywhere_is_on_the_list() -> None:
    read = {
        name.lower()
        for place in READERS
        for file in SERVICE.glob(place)
        for name in _READ.findall(file.read_text())
    }

    assert len(read) >= 12
    assert read <= HEADERS.keys() | CONSOLE_HEADERS.keys()


def test_falgates_own_headers_have_a_kibibyte() -> None:
    own = {name for name in HEADERS if name.startswith("x-falgate-")}

    assert own
    assert {HEADERS[name].most for name in own | {"cache-control", "idempotency-key"}} == {1_024}

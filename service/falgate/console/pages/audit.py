"""The audit log: who changed what, when and why, and what it was before and after."""

from typing import Any

from litestar import get
from litestar.response import Template

from falgate.console.filters import CURSOR
from falgate.console.page import OnPage

_PAGE = 50
_RECORDS = frozenset({"alias", "app", "budget", "gone", "key", "model", "operator", "stop", "team"})
"""Actions that are named after the record that they create, change or remove."""


@get("/audit")
async def audit(page: OnPage) -> Template:
    """List changes, the newest first."""
    found = await page.api.get("audit", limit=_PAGE, cursor=page.query.get(CURSOR))
    lines = [(each, _word(each)) for each in found["items"]]
    return page.show("audit.html", lines=lines, next_cursor=found["next_cursor"])


def _word(line: Any) -> str:
    """Return what was done to a record; "" for what is no record."""
    if line["action"] not in _RECORDS:
        return ""
    if line["before"] is None:
        return "created"
    return "removed" if line["after"] is None else "changed"


ROUTES = (audit,)

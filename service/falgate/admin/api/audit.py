"""/audit: the audit log."""

from typing import Annotated, Any

import msgspec
from litestar.params import QueryParameter

from falgate.admin.api.paging import LIMIT, Limit, Page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Admin
from falgate.admin.api.shapes import View, instant_ms
from falgate.core.change import Audited

routes = Resource("audit")

Line = Annotated[
    str,
    QueryParameter(
        pattern=r"^([1-9][0-9]{0,14}-[0-9]{1,15})?$",
        description="`next_cursor` of the previous page; empty for the newest lines",
    ),
]


class AuditShown(View, frozen=True, kw_only=True):
    """A line of the audit log. Records appear as stored, with amounts in micro-USD."""

    id: str
    at: str
    who: str
    action: str
    subject: str
    before: Any
    after: Any
    why: str


@routes.get("/audit", "List changes by operators")
async def list_changes(admin: Admin, limit: Limit = LIMIT, cursor: Line = "") -> Page[AuditShown]:
    """Who changed what and when, with the records before and after; newest first."""
    lines = await admin.audit(limit + 1, before=cursor.strip() or "+")
    items = [_shown(line) for line in lines[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(lines) > limit else None)


def _shown(line: Audited) -> AuditShown:
    return AuditShown.of(
        line,
        at=instant_ms(int(line.id.partition("-")[0])),
        before=msgspec.json.decode(line.before) if line.before else None,
        after=msgspec.json.decode(line.after) if line.after else None,
    )

"""/audit: the audit log."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from falgate.admin.api.paging import LIMIT, Limit, Page
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import AuditShown
from falgate.admin.service import AdminService

Line = Annotated[
    str,
    QueryParameter(
        pattern=r"^([1-9][0-9]{0,14}-[0-9]{1,15})?$",
        description="`next_cursor` of the previous page; empty for the newest lines",
    ),
]


@get("/audit", tags=["audit"], summary="List changes by operators", responses=refusals())
async def list_changes(
    admin: NamedDependency[AdminService], limit: Limit = LIMIT, cursor: Line = ""
) -> Page[AuditShown]:
    """Who changed what and when, with the records before and after; newest first."""
    lines = await admin.audit(limit + 1, before=cursor.strip() or "+")
    items = [AuditShown.of(line) for line in lines[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(lines) > limit else None)


HANDLERS = (list_changes,)

"""/ledger: entries of the ledger, newest first."""

from typing import Annotated, Literal

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from falgate.admin.api.audit import Line
from falgate.admin.api.paging import LIMIT, Limit
from falgate.admin.api.resource import Resource
from falgate.admin.api.shapes import instant
from falgate.admin.api.usage import First, Last
from falgate.admin.patch import with_fields
from falgate.money.entry import COLUMNS, EntryKind, Filter, Outcome, shown
from falgate.money.reports import Reports

routes = Resource("ledger")

Word = Annotated[str, QueryParameter(max_length=150, description="Only entries of this one")]
OfKind = Annotated[EntryKind | None, QueryParameter(description="Only entries of this kind")]
ClosedSo = Annotated[
    Outcome | None, QueryParameter(description="Only closing entries with this outcome")
]


Order = Annotated[
    Literal["newest", "oldest"],
    QueryParameter(description="Which come first; a cursor is good for one order"),
]


@with_fields([(column, str | None, None) for column in COLUMNS])
class EntryShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry with the fields of its kind. Amounts are decimal dollars, corrections signed."""

    entry: str
    at: str
    kind: EntryKind
    windows: str
    outcome: Outcome | None = None


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the ledger."""

    items: list[EntryShown]
    next_cursor: str | None
    archived_until: Annotated[
        str | None,
        msgspec.Meta(description="When the last entry was written that is in an archive"),
    ]


@routes.get("/ledger", "List ledger entries", 409)
async def list_ledger(
    *,
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    limit: Limit = LIMIT,
    cursor: Line = "",
    first: First = None,
    last: Last = None,
    kind: OfKind = None,
    outcome: ClosedSo = None,
    team: Word = "",
    app: Word = "",
    key: Word = "",
    job: Word = "",
    order: Order = "newest",
) -> LedgerPage:
    """Newest first by default. A page may be short or empty when few entries match."""
    wanted = Filter(kind=kind or "", outcome=outcome or "", team=team, app=app, key=key, job=job)
    found, more = await reports.page(
        upstream,
        wanted,
        first,
        last,
        cursor=cursor.strip(),
        number=limit,
        oldest_first=order == "oldest",
    )
    archived = await reports.archived_until(upstream)
    return LedgerPage(
        items=[entry_shown(*each) for each in found],
        next_cursor=more or None,
        archived_until=instant(int(archived.partition("-")[0]) // 1000) if archived else None,
    )


def entry_shown(entry: str, fields: dict[str, str]) -> EntryShown:
    """Convert an entry, given its id and its fields."""
    return msgspec.convert(shown(entry, fields), EntryShown)

"""/ledger: entries of the ledger, newest first."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import get
from litestar.params import QueryParameter

from falgate.accounts.apikey import Kind
from falgate.admin.api.audit import Line
from falgate.admin.api.paging import LIMIT, Limit
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import BooksOf
from falgate.admin.api.shapes import instant
from falgate.admin.api.usage import First, Last
from falgate.admin.context import upstream_of
from falgate.money.entry import EntryKind, Filter, Outcome, shown
from falgate.money.reports import Reports

Word = Annotated[str, QueryParameter(max_length=150, description="Only entries of this one")]
OfKind = Annotated[EntryKind | None, QueryParameter(description="Only entries of this kind")]
ClosedSo = Annotated[
    Outcome | None, QueryParameter(description="Only closing entries with this outcome")
]


Order = Annotated[
    Literal["newest", "oldest"],
    QueryParameter(description="Which come first; a cursor is good for one order"),
]


class EntryShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry with the fields of its kind. Amounts are decimal dollars, corrections signed."""

    entry: str
    at: str
    kind: EntryKind
    windows: str
    outcome: Outcome | None = None
    job: str | None = None
    team: str | None = None
    app: str | None = None
    key: str | None = None
    account: str | None = None
    model: str | None = None
    image_size: str | None = None
    quality: str | None = None
    output_format: str | None = None
    asked: str | None = None
    reused: str | None = None
    bought: str | None = None
    held_usd: str | None = None
    booked_usd: str | None = None
    overrun_usd: str | None = None
    list_usd: str | None = None
    saved_usd: str | None = None
    forgiven_usd: str | None = None
    raised_usd: str | None = None
    request_id: str | None = None
    why: str | None = None
    who: str | None = None
    price_version: str | None = None


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the ledger."""

    items: list[EntryShown]
    next_cursor: str | None
    archived_until: Annotated[
        str | None,
        msgspec.Meta(description="When the last entry was written that is in an archive"),
    ]


def ledger_routes(reports: Reports, upstreams: Mapping[Kind, str]) -> Sequence[Any]:
    """Return the routes, for `admin_routes`.

    Args:
        reports: Reads the ledger.
        upstreams: The upstream of each kind of key.
    """

    @get(
        "/ledger",
        tags=["ledger"],
        summary="List ledger entries",
        responses=refusals(409),
    )
    async def list_ledger(
        *,
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
        books: BooksOf = "live",
    ) -> LedgerPage:
        """Newest first by default. A page may be short or empty when few entries match."""
        wanted = Filter(
            kind=kind or "", outcome=outcome or "", team=team, app=app, key=key, job=job
        )
        upstream = upstream_of(upstreams, books)
        if order == "oldest":
            found, more = await reports.page_onwards(
                upstream, wanted, first, last, after=cursor.strip(), number=limit
            )
        else:
            found, more = await reports.page(
                upstream, wanted, first, last, before=cursor.strip(), number=limit
            )
        archived = await reports.archived_until(upstream)
        return LedgerPage(
            items=[msgspec.convert(shown(*each), EntryShown) for each in found],
            next_cursor=more or None,
            archived_until=instant(int(archived.partition("-")[0]) // 1000) if archived else None,
        )

    return (list_ledger,)

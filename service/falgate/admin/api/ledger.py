"""/ledger: entries of the ledger, newest first."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from falgate.accounts.apikey import Kind
from falgate.admin.api.audit import Line
from falgate.admin.api.paging import LIMIT, Limit, Page
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import BooksOf
from falgate.admin.api.usage import First, Last
from falgate.money.entry import EntryKind, Filter, Outcome, shown
from falgate.money.reports import Reports

Word = Annotated[str, QueryParameter(max_length=150, description="Only entries of this one")]
OfKind = Annotated[EntryKind | None, QueryParameter(description="Only entries of this kind")]
ClosedSo = Annotated[
    Outcome | None, QueryParameter(description="Only closing entries with this outcome")
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
        books: BooksOf = "live",
    ) -> Page[EntryShown]:
        """Newest first. A page may be short or empty when few entries match the filters."""
        wanted = Filter(
            kind=kind or "", outcome=outcome or "", team=team, app=app, key=key, job=job
        )
        found, more = await reports.page(
            upstreams[books], wanted, first, last, before=cursor.strip(), number=limit
        )
        items = [msgspec.convert(shown(*each), EntryShown) for each in found]
        return Page(items=items, next_cursor=more or None)

    return (list_ledger,)

"""/ledger: entries of the ledger, newest first, and as a file for a spreadsheet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Meta

from falgate.admin.api.audit import Line
from falgate.admin.api.paging import LIMIT, Limit
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.api.shapes import instant
from falgate.admin.api.usage import First, Last
from falgate.admin.patch import with_fields
from falgate.money.entry import EntryKind, Outcome
from falgate.money.entry_filter import Filter, Pictures, Reconciled
from falgate.money.entry_shown import COLUMNS, csv_header, csv_rows, shown
from falgate.money.reports import Reports

routes = Resource("ledger")
_ROWS = 10
"""How many entries are written as CSV at a time, which takes about a millisecond."""

Word = Annotated[str, QueryParameter(max_length=150, description="Only entries of this one")]
OfKind = Annotated[EntryKind | None, QueryParameter(description="Only entries of this kind")]
ClosedSo = Annotated[
    Outcome | None, QueryParameter(description="Only closing entries with this outcome")
]
WithPictures = Annotated[
    Pictures | None,
    QueryParameter(description="none: only charges for which no picture came, and corrections"),
]
Compared = Annotated[
    Reconciled | None,
    QueryParameter(
        description="Only closing entries that were, or were not, compared with fal's billing"
    ),
]
Order = Annotated[
    Literal["newest", "oldest"],
    QueryParameter(description="Which come first; a cursor is good for one order"),
]
Wanted = NamedDependency[Filter]


def wanted(
    *,
    acting: Acting,
    kind: OfKind = None,
    outcome: ClosedSo = None,
    team: Word = "",
    app: Word = "",
    key: Word = "",
    model: Word = "",
    job: Word = "",
    pictures: WithPictures = None,
    reconciled: Compared = None,
) -> Filter:
    """The filter of a request; leads have only what is their team's."""
    return Filter(
        kind=kind or "",
        outcome=outcome or "",
        team=acting.of_theirs(team, or_app=False),
        app=app,
        key=key,
        model=model,
        job=job,
        pictures=pictures or "",
        reconciled=reconciled or "",
    )


FILTERED: dict[str, Any] = {"wanted": Provide(wanted, sync_to_thread=False)}


@with_fields([(column, str | None, None) for column in COLUMNS])
class EntryShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry with the fields of its kind. Amounts are decimal dollars, corrections signed."""

    entry: str
    at: str
    kind: EntryKind
    windows: str
    outcome: Outcome | None = None
    reconciled: Annotated[
        Reconciled | None,
        Meta(description="Of a closing entry: whether it was compared with fal's billing"),
    ] = None


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the ledger."""

    items: list[EntryShown]
    next_cursor: str | None
    looked_to: Annotated[
        str | None,
        Meta(description="If there is more: when the last entry was written that was looked at"),
    ]
    archived_until: Annotated[
        str | None, Meta(description="When the last entry was written that is in an archive")
    ]


@routes.get("/ledger", "List ledger entries", 409, lead=True, dependencies=FILTERED)
async def list_ledger(
    *,
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    wanted: Wanted,
    limit: Limit = LIMIT,
    cursor: Line = "",
    first: First = None,
    last: Last = None,
    order: Order = "newest",
) -> LedgerPage:
    """Newest first by default. Looks at 1,000 entries at most: a page may be short or empty."""
    found = await reports.page(
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
        items=[entry_shown(*each) for each in found.entries],
        next_cursor=found.cursor or None,
        looked_to=_written(found.cursor),
        archived_until=_written(archived),
    )


@routes.get("/ledger.csv", "Get ledger entries as CSV", 409, lead=True, dependencies=FILTERED,
            media_type="text/csv")  # fmt: skip
async def list_ledger_csv(
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    wanted: Wanted,
    first: First = None,
    last: Last = None,
) -> Stream:
    """All that match, the oldest first; a text that looks like a formula begins with an apostrophe.

    If Redis stops answering meanwhile, the answer breaks off.
    """
    pages = reports.entries(upstream, wanted, first, last)
    # What is wrong about the request, or with Redis, is found before the answer begins.
    begun = await anext(pages, None)

    async def lines() -> AsyncIterator[str]:
        yield csv_header()
        if begun is not None:
            yield csv_rows(shown(*each) for each in begun)
        async for page in pages:
            for start in range(0, len(page), _ROWS):
                yield csv_rows(shown(*each) for each in page[start : start + _ROWS])
                # Hits are answered in between.
                await asyncio.sleep(0)

    name = {"Content-Disposition": 'attachment; filename="ledger.csv"'}
    return Stream(lines(), media_type="text/csv", headers=name)


def _written(entry: str) -> str | None:
    return instant(int(entry.partition("-")[0]) // 1000) if entry else None


def entry_shown(entry: str, fields: dict[str, str]) -> EntryShown:
    """Convert an entry, given its id and its fields."""
    return msgspec.convert(shown(entry, fields), EntryShown)

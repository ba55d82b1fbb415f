"""/usage: what was asked for, bought, billed and saved, from the days' roll-ups."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from falgate.api.admin.problems import refusals
from falgate.api.admin.services import BooksOf
from falgate.core.apikey import Kind
from falgate.core.usage import cells, columns, groups, told
from falgate.flow.reports import Reports

By = Annotated[
    str,
    QueryParameter(
        pattern=r"^((team|app|day)(,(team|app|day)){0,2})?$",
        description="Of team, app and day, any number by commas; empty: one row",
        examples=[],
    ),
]
First = Annotated[
    date | None,
    QueryParameter(name="from", description="First local day; missing: of the month"),
]
Last = Annotated[
    date | None, QueryParameter(name="to", description="Last local day, included; missing: today")
]


class UsageSum(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, and money in decimal dollars."""

    answers: int
    hits: int
    purchases: int
    bought: int
    reused: int
    list_usd: str
    billed_usd: str
    overrun_usd: str
    saved_usd: str
    without_pictures_usd: str


class UsageRow(UsageSum, frozen=True, kw_only=True, omit_defaults=True):
    """The same of one group; it has those of the three that were asked for."""

    team: str | None = None
    app: str | None = None
    day: str | None = None


class UsageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A report. Corrections may bring money below 0."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    rows: list[UsageRow]
    total: UsageSum


def usage_routes(reports: Reports, upstreams: Mapping[Kind, str]) -> Sequence[Any]:
    """The routes, for `admin_routes`.

    Args:
        reports: What they show.
        upstreams: Whose books each kind of key spends in.
    """

    @get("/usage", tags=["usage"], summary="Usage by team, app and day", responses=refusals())
    async def show_usage(
        by: By = "team", first: First = None, last: Last = None, books: BooksOf = "live"
    ) -> UsageShown:
        """Answers, purchases and money of some days; by default of this month, by team."""
        grouped = groups(by)
        days, report = await reports.usage(upstreams[books], grouped, first, last)
        return msgspec.convert(told(grouped, days, report), UsageShown)

    @get(
        "/usage.csv",
        tags=["usage"],
        summary="The same as CSV",
        media_type="text/csv",
        responses=refusals(),
    )
    async def show_usage_csv(
        by: By = "team", first: First = None, last: Last = None, books: BooksOf = "live"
    ) -> Response[str]:
        """A header and one line for each group."""
        grouped = groups(by)
        _, report = await reports.usage(upstreams[books], grouped, first, last)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns(grouped))
        writer.writerows(cells(row) for row in report.rows())
        return Response(text.getvalue(), media_type="text/csv")

    return (show_usage, show_usage_csv)

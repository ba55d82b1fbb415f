"""/usage: what was asked for, bought, booked and saved, from the days' roll-ups."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from falgate.accounts.apikey import Kind
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import BooksOf
from falgate.money.reports import Reports
from falgate.money.usage import GROUPS, as_csv, groups, told

_NAMES = f"({'|'.join(GROUPS)})"

By = Annotated[
    str,
    QueryParameter(
        pattern=f"^({_NAMES}(,{_NAMES}){{0,{len(GROUPS) - 1}}})?$",
        description=f"Of {', '.join(GROUPS)}, any number by commas; empty: one row",
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
    partial: int
    joined: int
    misses: int
    fresh: int
    purchases: int
    bought: int
    reused: int
    list_usd: str
    booked_usd: str
    overrun_usd: str
    reconciled_usd: str
    saved_usd: str
    without_pictures_usd: str


class UsageRow(UsageSum, frozen=True, kw_only=True, omit_defaults=True):
    """The same of one group; it has the names that were asked for."""

    team: str | None = None
    app: str | None = None
    key: str | None = None
    model: str | None = None
    quality: str | None = None
    outcome: str | None = None
    day: str | None = None


class UsageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A report. Corrections may bring money below 0."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    currency: str
    rows: list[UsageRow]
    total: UsageSum
    reconciled_share: Annotated[
        str | None,
        msgspec.Meta(description="Of booked and overrun: what fal's billing confirmed, 0 to 1"),
    ]


def usage_routes(reports: Reports, upstreams: Mapping[Kind, str]) -> Sequence[Any]:
    """The routes, for `admin_routes`.

    Args:
        reports: What they show.
        upstreams: Whose books each kind of key spends in.
    """

    @get(
        "/usage",
        tags=["usage"],
        summary="Usage by team, app, key, model, quality, outcome and day",
        responses=refusals(),
    )
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
        """A header, one line for each group and one for the total."""
        grouped = groups(by)
        days, report = await reports.usage(upstreams[books], grouped, first, last)
        return Response(as_csv(grouped, days, report), media_type="text/csv")

    return (show_usage, show_usage_csv)

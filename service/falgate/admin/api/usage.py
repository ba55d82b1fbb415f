"""/usage: requests, purchases, charges and savings, from the daily roll-ups."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from falgate.accounts.apikey import Kind
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import BooksOf
from falgate.admin.context import upstream_of
from falgate.money.reports import Reports
from falgate.money.usage import GROUPS, as_csv, groups, told

_NAMES = f"({'|'.join(GROUPS)})"

By = Annotated[
    str,
    QueryParameter(
        pattern=f"^({_NAMES}(,{_NAMES}){{0,{len(GROUPS) - 1}}})?$",
        description=f"Comma-separated columns to group by, of {', '.join(GROUPS)}; empty: one row",
        examples=[],
    ),
]
First = Annotated[
    date | None,
    QueryParameter(name="from", description="First local day; by default that of the month"),
]
Last = Annotated[
    date | None, QueryParameter(name="to", description="Last local day; by default today")
]


class UsageSum(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, and amounts in decimal US dollars."""

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
    """The totals of one group, with the names of its columns."""

    team: str | None = None
    app: str | None = None
    key: str | None = None
    model: str | None = None
    quality: str | None = None
    outcome: str | None = None
    day: str | None = None


class UsageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A usage report. Corrections may make amounts negative."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    currency: str
    rows: list[UsageRow]
    total: UsageSum
    reconciled_share: Annotated[
        str | None,
        msgspec.Meta(description="Share of booked and overrun confirmed by fal's billing, 0 to 1"),
    ]


def usage_routes(reports: Reports, upstreams: Mapping[Kind, str]) -> Sequence[Any]:
    """Return the routes, for `admin_routes`.

    Args:
        reports: Reads the usage.
        upstreams: The upstream of each kind of key.
    """

    @get(
        "/usage",
        tags=["usage"],
        summary="Get usage by team, app, key, model, quality, outcome and day",
        responses=refusals(409),
    )
    async def show_usage(
        by: By = "team", first: First = None, last: Last = None, books: BooksOf = "live"
    ) -> UsageShown:
        """For a range of days, by default the current month by team."""
        grouped = groups(by)
        days, report = await reports.usage(upstream_of(upstreams, books), grouped, first, last)
        return msgspec.convert(told(grouped, days, report), UsageShown)

    @get(
        "/usage.csv",
        tags=["usage"],
        summary="Get usage as CSV",
        media_type="text/csv",
        responses=refusals(409),
    )
    async def show_usage_csv(
        by: By = "team", first: First = None, last: Last = None, books: BooksOf = "live"
    ) -> Response[str]:
        """A header, one line per group and one for the total."""
        grouped = groups(by)
        days, report = await reports.usage(upstream_of(upstreams, books), grouped, first, last)
        return Response(as_csv(grouped, days, report), media_type="text/csv")

    return (show_usage, show_usage_csv)

"""/usage: requests, purchases, charges and savings, from the daily roll-ups."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from falgate.accounts.directory import NAME
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.patch import with_fields
from falgate.money.reports import Reports
from falgate.money.usage import GROUPS, as_csv, groups, told

routes = Resource("usage")
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
Team = Annotated[
    str,
    QueryParameter(pattern=f"^({NAME.pattern})?$", description="Only this team's; empty: all"),
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


@with_fields([(group, str | None, None) for group in GROUPS])
class UsageRow(UsageSum, frozen=True, kw_only=True, omit_defaults=True):
    """The totals of one group, with the names of its columns."""


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


@routes.get(
    "/usage", "Get usage by team, app, key, model, quality, outcome and day", 409, lead=True
)
async def show_usage(
    *,
    acting: Acting,
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    by: By = "team",
    first: First = None,
    last: Last = None,
    team: Team = "",
) -> UsageShown:
    """For a range of days, by default the current month by team; for a lead, of the own team."""
    grouped = groups(by)
    days, report = await reports.usage(upstream, grouped, first, last, only=acting.of_theirs(team))
    return msgspec.convert(told(grouped, days, report), UsageShown)


@routes.get("/usage.csv", "Get usage as CSV", 409, media_type="text/csv", lead=True)
async def show_usage_csv(
    *,
    acting: Acting,
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    by: By = "team",
    first: First = None,
    last: Last = None,
    team: Team = "",
) -> Response[str]:
    """A header, one line per group and one for the total."""
    grouped = groups(by)
    days, report = await reports.usage(upstream, grouped, first, last, only=acting.of_theirs(team))
    return Response(as_csv(grouped, days, report), media_type="text/csv")

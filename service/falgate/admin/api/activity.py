"""/activity: what was asked for, bought and saved in each hour, day or month."""

from typing import Annotated, Any, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.api.team_query import OfApp, OfTeam
from falgate.admin.api.usage import First, Last
from falgate.core.calendar import Calendar
from falgate.core.money import dollars
from falgate.money.activity import Step, Sums, hit_share, saved_otherwise, total
from falgate.money.figures import Figures, subject

routes = Resource("activity")
T = TypeVar("T", bound="ActivitySums")

ByStep = Annotated[
    Step, QueryParameter(description="How long a bucket is: hours for 14 days, else 366 at most")
]


class SavedShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was not bought, and why, in decimal dollars."""

    hit_usd: str
    derived_usd: Annotated[str, Meta(description="Files that were converted from stored ones")]
    partial_usd: Annotated[str, Meta(description="The stored part of answers that bought the rest")]
    joined_usd: Annotated[str, Meta(description="Answers from a purchase of another request")]
    other_usd: Annotated[str, Meta(description="Counted by a version that did not tell why")]


class ActivitySums(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of answers and purchases, and amounts in decimal dollars.

    Purchases count in the hour and on the day in which their money was held.
    """

    answers: int
    hits: int
    partial: int
    joined: int
    misses: int
    fresh: int
    hit_share: Annotated[
        str | None, Meta(description="Share of answers that were hits or joined, 0 to 1")
    ]
    purchases: int
    bought: Annotated[int, Meta(description="Pictures")]
    booked_usd: Annotated[str, Meta(description="Overrun included; corrections as well")]
    saved_usd: str
    saved: SavedShown


class ActivityBucket(ActivitySums, frozen=True, kw_only=True):
    """One hour, day or month."""

    start: Annotated[str, Meta(examples=["2026-11-30T14", "2026-11-30", "2026-11"])]


class ActivityShown(msgspec.Struct, frozen=True, kw_only=True):
    """A series without gaps, in the organisation's time zone."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    by: Step
    timezone: str
    items: list[ActivityBucket]
    total: ActivitySums


@routes.get("/activity", "Get activity by hour, day or month", 409, lead=True)
async def show_activity(
    *,
    figures: NamedDependency[Figures],
    calendar: NamedDependency[Calendar],
    upstream: NamedDependency[str],
    acting: Acting,
    by: ByStep = "day",
    first: First = None,
    last: Last = None,
    team: OfTeam = "",
    app: OfApp = "",
) -> ActivityShown:
    """By default today's hours, this month's days, or the last twelve months. Hours: 40 days."""
    of = subject(acting.of_theirs(team, or_app=False), app)
    days, buckets = await figures.activity(upstream, by, first, last, of)
    return ActivityShown(
        first=days.first.isoformat(),
        last=days.last.isoformat(),
        by=by,
        timezone=str(calendar.zone),
        items=[shown(each.sums, ActivityBucket, start=each.start) for each in buckets],
        total=shown(total(buckets), ActivitySums),
    )


def shown(sums: Sums, kind: type[T], **more: Any) -> T:
    """Return sums of the roll-ups with amounts in dollars, as a struct of this kind."""
    counts = ("answers", "hits", "partial", "joined", "misses", "fresh", "purchases", "bought")
    counted: dict[str, Any] = {name: sums.get(name, 0) for name in counts}
    return kind(
        **counted,
        hit_share=hit_share(sums),
        booked_usd=dollars(sums.get("billed", 0) + sums.get("overrun", 0)),
        saved_usd=dollars(sums.get("saved", 0)),
        saved=SavedShown(
            hit_usd=dollars(sums.get("saved_hit", 0)),
            derived_usd=dollars(sums.get("saved_derived", 0)),
            partial_usd=dollars(sums.get("saved_partial", 0)),
            joined_usd=dollars(sums.get("saved_joined", 0)),
            other_usd=dollars(saved_otherwise(sums)),
        ),
        **more,
    )

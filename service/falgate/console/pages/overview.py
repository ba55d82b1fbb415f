"""The overview: money, pictures, what is under way, and whether all is well."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from litestar import get
from litestar.response import Template

from falgate.console.chart import Chart, Series, chart
from falgate.console.page import OnPage, Page
from falgate.console.pages.first_steps import first_steps

_JOBS, _REFUSALS, _TEAMS = 10, 8, 8


class Span(NamedTuple):
    """A choice of what the charts show.

    Attributes:
        words: What the link says.
        days: How far back, today included.
        buckets: The newest of them are shown.
        label: Of a bucket, as `strftime` takes it.
    """

    words: str
    days: int
    buckets: int
    label: str


SPANS = {
    "hour": Span("48 hours", 3, 48, "%-d %b %H:00"),
    "day": Span("30 days", 30, 30, "%-d %b"),
    "month": Span("12 months", 366, 12, "%b %Y"),
}


@get("/")
async def overview(page: OnPage) -> Template:
    """Show how things stand."""
    return page.show("overview.html", first_steps=await first_steps(page), **await _standing(page))


@get("/overview/live")
async def live(page: OnPage) -> Template:
    """Show the part of it that stays up to date."""
    return page.show("overview_live.html", **await _standing(page))


async def _standing(page: Page) -> dict[str, Any]:
    by = page.query.get("by", "hour")
    by = by if by in SPANS else "hour"
    shown = await page.api.get("overview", top=_TEAMS)
    today = _window(shown, "day")
    refused = await page.api.get("requests", outcome="refused", limit=_REFUSALS)
    return {
        "by": by,
        "spans": SPANS,
        "shown": shown,
        "jobs": await page.api.get("jobs", limit=_JOBS),
        "refused": refused["items"],
        "charts": await _charts(page, by, today["standing"]["id"]),
        "today": today,
        "month": _window(shown, "month"),
    }


def _window(shown: Any, window: str) -> Any:
    return next(each for each in shown["spend"] if each["standing"]["window"] == window)


async def _charts(page: Page, by: str, today: str) -> Sequence[Chart]:
    span = SPANS[by]
    first = date.fromisoformat(today) - timedelta(days=span.days - 1)
    found = await page.api.get("activity", by=by, **{"from": first.isoformat()})
    items = found["items"][-span.buckets :]
    labels = [_begins(each["start"]).strftime(span.label) for each in items]

    def numbers(*names: str) -> list[float]:
        return [float(sum(each[name] for name in names)) for each in items]

    def amounts(name: str) -> list[float]:
        return [float(each[name]) for each in items]

    answered = [
        Series("Bought", "first", numbers("misses", "fresh", "partial")),
        Series("From the cache", "second", numbers("hits", "joined")),
    ]
    spent = [
        Series("Booked", "first", amounts("booked_usd")),
        Series("Saved by the cache", "second", amounts("saved_usd")),
    ]
    return [
        chart("Requests that were answered", labels, answered, money=False),
        chart("Money", labels, spent, money=True),
    ]


def _begins(start: str) -> datetime:
    """Return when a bucket begins: "2026-11", "2026-11-28" or "2026-11-28T07"."""
    return datetime.fromisoformat(start if start.count("-") > 1 else f"{start}-01")


ROUTES = (overview, live)

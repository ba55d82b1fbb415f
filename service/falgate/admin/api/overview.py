"""/overview: what one wants to see first: spend, savings, purchases under way, and trouble."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from falgate.admin.api.activity import ActivitySums
from falgate.admin.api.activity import shown as sums_shown
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import Standing, StopShown
from falgate.admin.api.status import Probes
from falgate.admin.api.team_query import OfTeam
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar, Window
from falgate.core.money import dollars
from falgate.jobs.under_way import JobsUnderWay, Queue
from falgate.money.activity import Sums
from falgate.money.budget import Position
from falgate.money.figures import Figures
from falgate.money.projection import forecast
from falgate.money.stop import Stopped
from falgate.money.totals import booked

routes = Resource("overview")
_ALWAYS = frozenset({"day", "month"})

Top = Annotated[int, QueryParameter(ge=0, le=100, description="How many teams, those that spend "
                                    "most first")]  # fmt: skip


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """A window of the organisation, or of a team, with its budget if it has one."""

    standing: Standing
    limit_usd: Annotated[str | None, Meta(description="With what the window was raised by")]
    forecast_usd: Annotated[
        str | None,
        Meta(
            description="What is spent / the share of the window that has passed; null before a "
            "tenth of it has"
        ),
    ]


class TeamSpend(msgspec.Struct, frozen=True, kw_only=True):
    """What a team was booked this month, overrun included."""

    team: str
    booked_usd: str
    today_usd: str
    saved_usd: str
    purchases: int


class Purchases(msgspec.Struct, frozen=True, kw_only=True):
    """Purchases under way."""

    open: int
    waiting: Annotated[int | None, Meta(description="For a slot; null for one team")]
    slots_used: Annotated[int | None, Meta(description="Likewise null for one team")]
    slots_limit: Annotated[int | None, Meta(description="null: no limit")]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Why something cannot be used now; null: it can."""

    redis: str | None
    store: str | None
    upstream: Annotated[
        str | None, Meta(description="What open jobs say of fal; their number is under `lost`")
    ]
    lost: Annotated[int, Meta(description="Open jobs whose outcome is looked for at fal")]
    unbanked: Annotated[int, Meta(description="Open jobs whose pictures could not be stored yet")]
    falgate: Annotated[str | None, Meta(description="Set when this instance is about to stop")]


class OverviewShown(msgspec.Struct, frozen=True, kw_only=True):
    """What one wants to see first."""

    upstream: str
    timezone: str
    team: Annotated[str | None, Meta(description="null: all teams")]
    spend: Annotated[list[Spend], Meta(description="Day and month, and windows with a budget")]
    teams: list[TeamSpend]
    teams_in_all: Annotated[int, Meta(description="That were active this month")]
    today: ActivitySums
    month: ActivitySums
    purchases: Purchases
    health: Health
    frozen: Annotated[str | None, Meta(description="Why nothing is bought")]
    stops: list[StopShown]


@routes.get("/overview", "Get an overview", 404, 409, lead=True)
async def show_overview(
    *,
    accounts: Admin,
    acting: Acting,
    calendar: NamedDependency[Calendar],
    figures: NamedDependency[Figures],
    probes: NamedDependency[Probes],
    slots_max: NamedDependency[int],
    under_way: NamedDependency[JobsUnderWay],
    upstream: NamedDependency[str],
    team: OfTeam = "",
    top: Top = 10,
) -> OverviewShown:
    """Of the organisation or of one team; leads see their own team's."""
    of = acting.of_theirs(team, or_app=False)
    charged = Account("team", of) if of else ORGANISATION
    positions = await accounts.budgets.positions(charged)
    listed = await under_way.list(upstream, team=of)
    month = await figures.month(upstream)
    shown = _most(month, of, top)
    today = await figures.today(upstream, [of, *shown])
    return OverviewShown(
        upstream=upstream,
        timezone=str(calendar.zone),
        team=of or None,
        spend=_spend(calendar, positions, listed.queue.now_ms),
        teams=[_team(team, month[team], today[team]) for team in shown],
        teams_in_all=1 if of else len(month.keys() - {""}),
        today=sums_shown(today[of], ActivitySums),
        month=sums_shown(month.get(of, {}), ActivitySums),
        purchases=_purchases(listed.queue, len(listed.jobs), slots_max, of),
        health=_health(await probes.troubles(), [each.trouble for each in listed.jobs]),
        frozen=await probes.frozen() or None,
        stops=[StopShown.by(each) for each in await accounts.stops.all() if _about(each, of)],
    )


def _spend(calendar: Calendar, positions: Sequence[Position], now_ms: int) -> list[Spend]:
    def projected(window: Window, spent: int) -> str | None:
        found = forecast(window, spent, now_ms)
        return None if found is None else dollars(found)

    return [
        Spend(
            standing=Standing.by(calendar, each),
            limit_usd=None if each.limit is None else dollars(each.limit),
            forecast_usd=projected(each.window, each.spent),
        )
        for each in positions
        if each.budget is not None or each.window.kind in _ALWAYS
    ]


def _most(month: Mapping[str, Sums], of: str, top: int) -> list[str]:
    """Return the teams that spent most, or the one that is meant if it was active."""
    teams = [team for team in month if team and of in {"", team}]
    return sorted(teams, key=lambda team: (-booked([month[team]]), team))[:top]


def _team(team: str, month: Sums, today: Sums) -> TeamSpend:
    return TeamSpend(
        team=team,
        booked_usd=dollars(booked([month])),
        today_usd=dollars(booked([today])),
        saved_usd=dollars(month.get("saved", 0)),
        purchases=month.get("purchases", 0),
    )


def _purchases(queue: Queue, found: int, slots_max: int, of: str) -> Purchases:
    return Purchases(
        open=found if of else queue.open,
        waiting=None if of else queue.waiting,
        slots_used=None if of else queue.slots,
        slots_limit=slots_max or None,
    )


def _health(troubles: Mapping[str, str], jobs: Sequence[str]) -> Health:
    lost, unbanked = jobs.count("lost"), jobs.count("unbanked")
    words = [
        f"{lost} purchases have no answer yet, and are looked for there" if lost else "",
        f"the pictures of {unbanked} purchases could not be stored yet" if unbanked else "",
    ]
    return Health(
        redis=troubles.get("redis"),
        store=troubles.get("store"),
        upstream="; ".join(filter(None, words)) or None,
        lost=lost,
        unbanked=unbanked,
        falgate=troubles.get("falgate"),
    )


def _about(stopped: Stopped, of: str) -> bool:
    """Return whether a stop is of what a team uses: all of them, where no team is meant."""
    subject = stopped.subject
    return (
        not of or subject.level in {"organisation", "model"} or (subject.id.partition("/")[0] == of)
    )

"""/status: what runs, on which Redis and picture store, whom it buys from, how full budgets are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from falgate import __version__
from falgate.accounts.retirement import days_left, retires
from falgate.admin.api.models import CALLED_DAYS, ModelShown, shown
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin, AdminServices
from falgate.admin.api.shapes import OverageShown, Standing, StopShown, View
from falgate.billing.model_drift_report import ModelDrift
from falgate.core.calendar import Calendar
from falgate.money.budget import Position
from falgate.money.reports import Reports
from falgate.pictures.catalogue import StoreSize

routes = Resource("status")
_FULLEST = 10
_ENDING_DAYS = 90


Brief = Annotated[
    bool, QueryParameter(description="Without budgets and models that end, which take longest")
]


class Place(View, frozen=True, kw_only=True):
    """Where something is, and what is wrong with it."""

    at: Annotated[str, Meta(description="Its address, without any password")]
    trouble: Annotated[str | None, Meta(description="Why it cannot be used now")]


class StoreShown(Place, frozen=True, kw_only=True):
    """The picture store."""

    pictures: Annotated[int | None, Meta(description="null for a lead: they are of all teams")]
    size_bytes: int | None


class BudgetFilled(msgspec.Struct, frozen=True, kw_only=True):
    """A budget, and how full it is."""

    used_percent: Annotated[int, Meta(description="Of the limit: what is spent and held")]
    standing: Standing


class DriftShown(msgspec.Struct, frozen=True, kw_only=True):
    """A described model of which fal's document, or price, differs from what was reviewed."""

    model: Annotated[str, Meta(examples=["fal-ai/flux/schnell"])]
    changed: Annotated[bool, Meta(description="Whether it may change what is sold")]
    differences: list[str]


class StatusShown(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and on what."""

    version: str
    redis: Place
    store: StoreShown
    upstream: Annotated[str | None, Meta(description="Of live keys; null before a first start")]
    frozen: Annotated[str | None, Meta(description="Why nothing is bought")]
    stops: Annotated[list[StopShown], Meta(description="What operators stopped")]
    calendar: Annotated[str, Meta(examples=["Europe/Vienna/monday"])]
    overage: OverageShown | None
    drift: Annotated[list[DriftShown], Meta(description="Models that fal changed")]
    ending: Annotated[
        list[ModelShown],
        Meta(description="Models that end within 90 days, have ended or are gone, of live keys"),
    ]
    fullest: Annotated[
        list[BudgetFilled],
        Meta(description="Live budgets, at most ten; those of single keys aside"),
    ]


class Probes(msgspec.Struct, frozen=True, kw_only=True):
    """How to see what runs.

    Attributes:
        redis: Its address.
        store: That of the pictures.
        troubles: Why "redis" or "store" cannot be used, as far as they cannot.
        stored: What is in the store.
        frozen: Why nothing is bought, or "".
        drifts: How each described model differs from fal's document.
    """

    redis: str
    store: str
    troubles: Callable[[], Awaitable[Mapping[str, str]]]
    stored: Callable[[], Awaitable[StoreSize]]
    frozen: Callable[[], Awaitable[str]]
    drifts: Callable[[], Awaitable[Mapping[str, ModelDrift]]]


@routes.get("/status", "What runs, and on what", lead=True)
async def show_status(
    *,
    acting: Acting,
    services: NamedDependency[AdminServices],
    admin: Admin,
    reports: NamedDependency[Reports],
    probes: NamedDependency[Probes],
    brief: Brief = False,
) -> StatusShown:
    """With the budgets of live keys that are fullest. A lead sees no figures of other teams."""
    of, all_teams = acting.team, acting.sees("")
    troubles = await probes.troubles()
    stored = await probes.stored()
    calendar, upstream = services.calendar, services.upstreams.get("live")
    return StatusShown(
        version=__version__,
        redis=Place(at=probes.redis, trouble=troubles.get("redis")),
        store=StoreShown(
            at=probes.store,
            trouble=troubles.get("store"),
            pictures=stored.pictures if all_teams else None,
            size_bytes=stored.size_bytes if all_teams else None,
        ),
        upstream=upstream,
        frozen=await probes.frozen() or None,
        stops=[StopShown.by(each) for each in await admin.stops.all(of)],
        calendar=calendar.name,
        overage=OverageShown.of(*await admin.budgets.overage()) if upstream and all_teams else None,
        drift=[
            DriftShown(
                model=model,
                changed=bool(report.changed),
                differences=[str(each) for each in report.differences],
            )
            for model, report in (await probes.drifts()).items()
            if report.differences
        ],
        ending=await _ending(services, reports, upstream, of) if upstream and not brief else [],
        fullest=_fullest(await admin.budgets.most(of), calendar) if upstream and not brief else [],
    )


async def _ending(
    services: AdminServices, reports: Reports, upstream: str, of: str
) -> list[ModelShown]:
    callers = await reports.callers(upstream, CALLED_DAYS, of=of)
    directory, now_s = await services.records.directory(), await services.records.now_s()
    ending = []
    for spec in services.models.values():
        each = shown(spec, directory, upstream, now_s, callers)
        day = retires(spec, directory, upstream)
        if each.gone_at or (day is not None and days_left(day, now_s) <= _ENDING_DAYS):
            ending.append(each)
    return ending


def _fullest(positions: list[Position], calendar: Calendar) -> list[BudgetFilled]:
    found = sorted(positions, key=_used_percent, reverse=True)[:_FULLEST]
    return [
        BudgetFilled(used_percent=_used_percent(each), standing=Standing.by(calendar, each))
        for each in found
    ]


def _used_percent(position: Position) -> int:
    used = position.spent + position.held
    return used * 100 // limit if (limit := position.limit) else 100

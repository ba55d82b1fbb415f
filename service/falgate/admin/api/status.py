"""/status: what runs, on which Redis and picture store, whom it buys from, how full budgets are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from msgspec import Meta

from falgate import __version__
from falgate.accounts.apikey import Kind
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import HouseShown, Standing
from falgate.admin.service import AdminService
from falgate.core.calendar import Calendar
from falgate.money.budget import Position
from falgate.pictures.catalogue import StoreSize

_FULLEST = 10


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is, and what is wrong with it."""

    at: Annotated[str, Meta(description="Its address, without any password")]
    trouble: Annotated[str | None, Meta(description="Why it cannot be used now")]


class StoreShown(Place, frozen=True, kw_only=True):
    """The picture store."""

    pictures: int
    size_bytes: int


class BudgetFilled(msgspec.Struct, frozen=True, kw_only=True):
    """A budget, and how full it is."""

    used_percent: Annotated[int, Meta(description="Of the limit: what is spent and held")]
    standing: Standing


class StatusShown(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and on what."""

    version: str
    redis: Place
    store: StoreShown
    upstream: Annotated[str | None, Meta(description="Of live keys; null before a first start")]
    frozen: Annotated[str | None, Meta(description="Why nothing is bought")]
    calendar: Annotated[str, Meta(examples=["Europe/Vienna/monday"])]
    house: HouseShown | None
    fullest: Annotated[list[BudgetFilled], Meta(description="Budgets of live keys, at most ten")]


class Probes(msgspec.Struct, frozen=True, kw_only=True):
    """How to see what runs.

    Attributes:
        redis: Its address.
        store: That of the pictures.
        troubles: Why "redis" or "store" cannot be used, as far as they cannot.
        stored: What is in the store.
        frozen: Why nothing is bought, or "".
    """

    redis: str
    store: str
    troubles: Callable[[], Awaitable[Mapping[str, str]]]
    stored: Callable[[], Awaitable[StoreSize]]
    frozen: Callable[[], Awaitable[str]]


def status_routes(probes: Probes, upstreams: Mapping[Kind, str]) -> Sequence[Any]:
    """The route, for `admin_routes`."""

    @get("/status", tags=["status"], summary="What runs, and on what", responses=refusals())
    async def show_status(
        admin: NamedDependency[AdminService], calendar: NamedDependency[Calendar]
    ) -> StatusShown:
        """With the budgets of live keys that are fullest."""
        troubles = await probes.troubles()
        stored = await probes.stored()
        known = "live" in upstreams
        return StatusShown(
            version=__version__,
            redis=Place(at=probes.redis, trouble=troubles.get("redis")),
            store=StoreShown(
                at=probes.store,
                trouble=troubles.get("store"),
                pictures=stored.pictures,
                size_bytes=stored.size_bytes,
            ),
            upstream=upstreams.get("live"),
            frozen=await probes.frozen() or None,
            calendar=calendar.name,
            house=HouseShown.of(*await admin.budgets.house()) if known else None,
            fullest=_fullest(await admin.budgets.all() if known else [], calendar),
        )

    return (show_status,)


def _fullest(positions: list[Position], calendar: Calendar) -> list[BudgetFilled]:
    found = sorted(positions, key=_used_percent, reverse=True)[:_FULLEST]
    return [
        BudgetFilled(used_percent=_used_percent(each), standing=Standing.of(each, calendar))
        for each in found
    ]


def _used_percent(position: Position) -> int:
    used = position.spent + position.held
    return used * 100 // limit if (limit := position.limit) else 100

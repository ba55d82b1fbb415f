"""Quotes: what a request would cost under the caller's key."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from falgate.core.calendar import Calendar
from falgate.core.money import dollars
from falgate.http.docs import documented
from falgate.http.request_info import admitted, caller_of
from falgate.http.responses import ignored
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec
from falgate.money.budget import Position
from falgate.money.stop import Stopped
from falgate.requests.quote import Quote, Quotes


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one budget; amounts in decimal US dollars."""

    account: str
    window: str
    limit_usd: str
    spent_usd: str
    held_usd: str
    remaining_usd: str
    resets_at: str | None


class StopNamed(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator stopped, and why, if a reason was given."""

    subject: str
    why: str


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would cost now. Nothing is held, so other purchases may come first.

    Attributes:
        cache: "hit", "derived", "partial", "miss", or "bypass" when new pictures are requested.
        asked: Number of pictures requested.
        cached: How many of them are stored and free.
        list_usd: List price of the pictures to be bought.
        estimate_usd: Expected charge, including text tokens.
        hold_usd: Maximum charge, which would be held during the purchase.
        price_version: Version of the model's price table.
        allowed: Whether every budget has room, and nothing that has to be bought is stopped.
        refused_by: Budgets without room.
        stopped: What an operator stopped, if something of it has to be bought.
        overdrawn: Shadow budgets without room; they refuse nothing.
    """

    cache: str
    asked: int
    cached: int
    list_usd: str
    estimate_usd: str
    hold_usd: str
    price_version: str
    allowed: bool
    refused_by: list[Standing]
    stopped: StopNamed | None
    overdrawn: list[Standing]


def quote_routes(ports: Ports, calendar: Calendar) -> Sequence[HTTPRouteHandler]:
    """Return a route under /v1/quote for each model."""
    quotes = Quotes(ports.pools, ports.budgets, ports.stops, ports.places)

    def model_route(spec: ModelSpec) -> HTTPRouteHandler:
        async def quote(request: Request[Any, Any, Any]) -> Response[Quoted]:
            call = await admitted(ports, await caller_of(ports, request), spec, request)
            found = await quotes.quote(call, call.accounts)
            headers = {"Cache-Control": "private, no-store", **ignored(call.ignored)}
            if found.tightest is not None:
                headers["X-Falgate-Budget-Remaining-Usd"] = dollars(found.tightest.remaining or 0)
            return Response(quoted(found, calendar), headers=headers)

        shown = post(
            f"/v1/quote/{spec.endpoint}",
            status_code=200,
            operation_id=f"quote{spec.schema_name}",
            operation_class=documented(spec, answer=Quoted, meaning="The quote"),
            summary=f"Get a quote for {spec.title}; nothing is spent",
        )
        return shown(quote)

    return [model_route(spec) for spec in ports.models.values()]


def quoted(quote: Quote, calendar: Calendar) -> Quoted:
    """Convert a quote into its response body."""
    return Quoted(
        cache=quote.source,
        asked=quote.asked,
        cached=quote.cached,
        list_usd=dollars(quote.listed),
        estimate_usd=dollars(quote.estimate),
        hold_usd=dollars(quote.ceiling),
        price_version=quote.price_version,
        allowed=not quote.refusing and quote.stopped is None,
        refused_by=[_standing(position, calendar) for position in quote.refusing],
        stopped=_named(quote.stopped),
        overdrawn=[_standing(position, calendar) for position in quote.shadows],
    )


def _standing(position: Position, calendar: Calendar) -> Standing:
    return Standing(
        account=position.account.name,
        window=position.window.kind,
        limit_usd=dollars(position.limit or 0),
        spent_usd=dollars(position.spent),
        held_usd=dollars(position.held),
        remaining_usd=dollars(position.remaining or 0),
        resets_at=calendar.resets_at(position.window),
    )


def _named(stopped: Stopped | None) -> StopNamed | None:
    if stopped is None:
        return None
    return StopNamed(subject=stopped.subject.name, why=stopped.stop.why)

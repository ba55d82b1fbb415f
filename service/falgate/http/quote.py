"""Quotes: what a request would cost under the caller's key."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from falgate.accounts.retirement import successor
from falgate.cache.request import PictureRequest
from falgate.core.calendar import Calendar
from falgate.core.money import dollars
from falgate.http.docs import documented
from falgate.http.request_info import admitted, caller_of
from falgate.http.responses import ignored
from falgate.jobs.admission import called_model
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec
from falgate.money.budget import Position
from falgate.money.stop import Stopped
from falgate.requests.quote import Quote, Quotes, Succession, succession


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


class SuccessorQuoted(msgspec.Struct, frozen=True, kw_only=True):
    """What all pictures asked for would cost if the model's successor made them.

    Attributes:
        model: Endpoint of the successor.
        estimate_usd: Expected charge for them, including text tokens.
        difference_usd: By how much that is more than for the model itself; negative if it is less.
        problem: Why the successor cannot make them; then both amounts are 0.
    """

    model: str
    estimate_usd: str
    difference_usd: str
    problem: str | None


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would cost now. Nothing is held, so other purchases may come first.

    Attributes:
        model: The model that serves it: another one than was called if that has ended, or if it was
            called by an alias.
        cache: "hit", "derived", "partial", "miss", or "bypass" when new pictures are requested.
        asked: Number of pictures requested.
        cached: How many of them are stored and free.
        list_usd: List price of the pictures to be bought.
        estimate_usd: Expected charge, including text tokens.
        hold_usd: Maximum charge, which would be held during the purchase.
        price_version: Version of the model's price table.
        allowed: Whether every budget has room, and what has to be bought neither is stopped nor has
            ended.
        refused_by: Budgets without room.
        stopped: What an operator stopped, if something of it has to be bought.
        overdrawn: Shadow budgets without room; they refuse nothing.
        ended: Whether the model has ended, so that nothing can be bought.
        successor: What its successor would cost, if it has one.
    """

    model: str
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
    ended: bool
    successor: SuccessorQuoted | None


def quote_routes(ports: Ports, calendar: Calendar) -> Sequence[HTTPRouteHandler]:
    """Return a route under /v1/quote for each model, and one for aliases."""
    quotes = Quotes(ports.pools, ports.budgets, ports.stops, ports.places)

    async def answer(request: Request[Any, Any, Any], name: str) -> Response[Quoted]:
        caller = await caller_of(ports, request)
        spec, called = called_model(ports.models, name, caller)
        call = await admitted(ports, caller, spec, request, called)
        found = await quotes.quote(call, call.accounts)
        headers = {"Cache-Control": "private, no-store", **ignored(call.ignored)}
        if found.tightest is not None:
            headers["X-Falgate-Budget-Remaining-Usd"] = dollars(found.tightest.remaining or 0)
        after = ports.models.get(successor(call.spec, caller.directory))
        shown = quoted(
            found,
            calendar,
            call,
            ended=call.ended is not None,
            after=succession(call.spec, call.arguments, after) if after else None,
        )
        return Response(shown, headers=headers)

    def model_route(spec: ModelSpec) -> HTTPRouteHandler:
        async def quote(request: Request[Any, Any, Any]) -> Response[Quoted]:
            return await answer(request, spec.endpoint)

        shown = post(
            f"/v1/quote/{spec.endpoint}",
            status_code=200,
            operation_id=f"quote{spec.schema_name}",
            operation_class=documented(spec, answer=Quoted, meaning="The quote"),
            summary=f"Get a quote for {spec.title}; nothing is spent",
        )
        return shown(quote)

    @post("/v1/quote/{name:path}", status_code=200, include_in_schema=False)
    async def quote_alias(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Quoted]:
        return await answer(request, name.strip("/"))

    return [*map(model_route, ports.models.values()), quote_alias]


def quoted(
    quote: Quote,
    calendar: Calendar,
    asked: PictureRequest,
    *,
    ended: bool,
    after: Succession | None,
) -> Quoted:
    """Convert a quote into its response body.

    Args:
        quote: The quote.
        calendar: Tells when a budget resets.
        asked: What was quoted.
        ended: Whether its model has ended.
        after: What its successor would cost, if it has one.
    """
    buys = quote.asked > quote.cached
    return Quoted(
        model=asked.spec.endpoint,
        cache=quote.source,
        asked=quote.asked,
        cached=quote.cached,
        list_usd=dollars(quote.listed),
        estimate_usd=dollars(quote.estimate),
        hold_usd=dollars(quote.ceiling),
        price_version=quote.price_version,
        allowed=not (quote.refusing or quote.stopped or (ended and buys)),
        refused_by=[_standing(position, calendar) for position in quote.refusing],
        stopped=_named(quote.stopped),
        overdrawn=[_standing(position, calendar) for position in quote.shadows],
        ended=ended,
        successor=_succeeded(after) if after else None,
    )


def _succeeded(after: Succession) -> SuccessorQuoted:
    return SuccessorQuoted(
        model=after.model,
        estimate_usd=dollars(after.estimate),
        difference_usd=dollars(after.difference),
        problem=after.problem or None,
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

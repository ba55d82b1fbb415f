"""/playground: operators quote, buy and follow requests with the keys of apps."""

from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from msgspec.structs import asdict

from falgate.accounts.apikey import KeyRecord
from falgate.admin.api.playground_shapes import (
    PlayAsked,
    PlayQuoted,
    PlayShown,
    PlayTaken,
    shown,
)
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, AdminServices, Who
from falgate.core.errors import Refusal
from falgate.core.problems import Invalid
from falgate.http.quote import quoted
from falgate.http.request_info import KEY, REFUSAL, REQUEST_ID
from falgate.requests.playground import Asked, Playground

routes = Resource("playground")

CallId = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[!-~]{1,64}$",
        description="A repeat with the same request gets the request of the first call",
    ),
]
_REFUSALS = (402, 404, 409, 410, 422, 429, 500, 504)


@routes.act("/playground/quote", "Quote a request with an app's key", *_REFUSALS, lead=True)
async def quote_play(
    *,
    playground: NamedDependency[Playground],
    services: NamedDependency[AdminServices],
    acting: Acting,
    request: Request[Any, Any, Any],
    data: JSONBody[PlayAsked],
) -> PlayQuoted:
    """As `/v1/quote` answers the app, with the budgets of the key. Nothing is spent."""
    asked, key = await _asked(playground, acting, request, data)
    try:
        found = await playground.quote(key, asked)
    except Refusal as refusal:
        request.scope["state"][REFUSAL] = refusal
        raise
    told = quoted(
        found.quote,
        services.calendar,
        found.call,
        ended=found.call.ended is not None,
        after=found.after,
    )
    return PlayQuoted(**asdict(told), key=key.id, app=f"{key.team}/{key.app}")


@routes.post("/playground", "Buy with an app's key", *_REFUSALS, lead=True, status_code=202)
async def play(
    *,
    playground: NamedDependency[Playground],
    acting: Acting,
    who: Who,
    request: Request[Any, Any, Any],
    data: JSONBody[PlayAsked],
    idempotency_key: CallId = None,
) -> PlayTaken:
    """Submits what the app would: admission, limits, cache, budgets and ledger are the same.

    It is refused in the same words. The audit log says who asked.
    """
    asked, key = await _asked(playground, acting, request, data)
    try:
        request_id = await playground.buy(key, asked, who, repeatable=idempotency_key or "")
    except Refusal as refusal:
        request.scope["state"][REFUSAL] = refusal
        raise
    request.scope["state"][REQUEST_ID] = request_id
    return PlayTaken(request_id=request_id, key=key.id)


@routes.get("/playground/{request_id:str}", "How a request stands", 404, reads=False, lead=True)
async def show_play(
    playground: NamedDependency[Playground],
    services: NamedDependency[AdminServices],
    acting: Acting,
    request_id: FromPath[str],
) -> PlayShown:
    """For as long as the queue keeps it: its step, and its answer as the app would get it."""
    standing = await playground.look(acting, request_id)
    return shown(standing, await services.records.now_s())


async def _asked(
    playground: Playground, acting: Acting, request: Request[Any, Any, Any], data: PlayAsked
) -> tuple[Asked, KeyRecord]:
    if bool(data.key) == bool(data.app):
        raise Invalid("Give a key, or an app whose key is used")
    state = request.scope["state"]
    asked = data.asked(state[REQUEST_ID])
    key = state[KEY] = await playground.key(acting, asked)
    return asked, key

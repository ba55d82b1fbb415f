"""/quote: what a request would cost an app, and which budgets would refuse it."""

from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from falgate.accounts.apikey import Permissions
from falgate.accounts.retirement import ended, successor
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import AdminServices
from falgate.admin.context import upstream_of
from falgate.cache.directives import Directives
from falgate.cache.policy import resolve
from falgate.cache.request import request_for
from falgate.core.account import chain
from falgate.core.errors import InputRejected
from falgate.core.problems import Invalid, NotFound
from falgate.http.quote import Quoted, quoted
from falgate.models import arguments as request
from falgate.requests.quote import Quotes, succession

routes = Resource("quote")


class QuoteAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as an app would make it."""

    app: Annotated[str, Meta(examples=["web/shop"], description="TEAM/APP that asks")]
    model: Annotated[str, Meta(description="Its endpoint; empty: the first that does not end")] = ""
    request: Annotated[dict[str, Any], Meta(description="The body of the request")]

    def __repr__(self) -> str:
        """Without the prompt."""
        return "QuoteAsked(...)"


@routes.act("/quote", "What a request would cost an app", 404, 409, 422)
async def quote(
    services: NamedDependency[AdminServices],
    quotes: NamedDependency[Quotes],
    data: JSONBody[QuoteAsked],
) -> Quoted:
    """Nothing is spent. Budgets of the app's keys are apart: a key's own is at /v1/quote."""
    models = services.models
    usual = next((name for name, each in models.items() if each.retires is None), "")
    spec = models.get(data.model or usual)
    if spec is None:
        raise NotFound(f"There is no such model; there are {', '.join(models)}")
    team, slash, name = data.app.partition("/")
    if not slash:
        raise Invalid("An app's name includes its team; example: web/shop")
    try:
        body = msgspec.json.encode(data.request)
        arguments = request.read(spec, body, "application/json").arguments
    except InputRejected as rejected:
        first = rejected.issues[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    live = upstream_of(services.upstreams, "live")
    directory, now_s = await services.records.directory(), await services.records.now_s()
    known = directory.apps.get(data.app)
    if known is None:
        raise NotFound("There is no such app; list the apps to see all of them")
    treatment = resolve(Directives(), known.cache, Permissions(), team=team, app=name)
    asked = request_for(spec, arguments, live, treatment.of_request(spec, arguments))
    after = models.get(successor(spec, directory))
    return quoted(
        await quotes.quote(asked, chain(team, name, endpoint=spec.endpoint)),
        services.calendar,
        asked,
        ended=ended(spec, directory, known, live, now_s) is not None,
        after=succession(spec, arguments, after) if after else None,
    )

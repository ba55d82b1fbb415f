"""/quote: what a request would cost an app, and which budgets would refuse it."""

from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from falgate.accounts.apikey import Permissions
from falgate.accounts.directory import target_of
from falgate.accounts.retirement import Ended, ended, successor
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, AdminServices
from falgate.admin.context import upstream_of
from falgate.cache.directives import Directives
from falgate.cache.policy import resolve
from falgate.cache.request import PictureRequest, request_for
from falgate.core.account import chain
from falgate.core.errors import InputRejected
from falgate.core.problems import Invalid, NotFound
from falgate.http.quote import Quoted, quoted
from falgate.jobs.succession import succeed
from falgate.models import arguments as request
from falgate.models.spec import ModelSpec
from falgate.requests.quote import Quote, Quotes, succession

routes = Resource("quote")


class QuoteAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as an app would make it."""

    app: Annotated[str, Meta(examples=["web/shop"], description="TEAM/APP that asks")]
    model: Annotated[str, Meta(description="Its endpoint; empty: the first that does not end")] = ""
    request: Annotated[dict[str, Any], Meta(description="The body of the request")]

    def __repr__(self) -> str:
        """Without the prompt."""
        return "QuoteAsked(...)"


@routes.act("/quote", "What a request would cost an app", 404, 409, 422, reads=True, lead=True)
async def quote(
    acting: Acting,
    services: NamedDependency[AdminServices],
    quotes: NamedDependency[Quotes],
    data: JSONBody[QuoteAsked],
) -> Quoted:
    """Nothing is spent. Budgets of the app's keys are apart: a key's own is at /v1/quote."""
    models, live = services.models, upstream_of(services.upstreams, "live")
    team, slash, name = data.app.partition("/")
    if not slash:
        raise Invalid("An app's name includes its team; example: web/shop")
    acting.answer_for(team)
    directory, now_s = await services.records.directory(), await services.records.now_s()
    app = directory.apps.get(data.app)
    if app is None:
        raise NotFound("There is no such app; list the apps to see all of them")
    usual = next((endpoint for endpoint, each in models.items() if each.retires is None), "")
    spec = models.get(data.model or usual) or models.get(target_of(data.model, directory, app))
    if spec is None:
        raise NotFound(f"There is no such model; there are {', '.join(models)}")
    treatment = resolve(Directives(), app.cache, Permissions(), team=team, app=name)

    def over(model: ModelSpec) -> Ended | None:
        return ended(model, directory, app, live, now_s)

    async def found(model: ModelSpec, arguments: Any) -> tuple[PictureRequest, Quote]:
        asked = request_for(model, arguments, live, treatment.of_request(model, arguments))
        return asked, await quotes.quote(asked, chain(team, name, endpoint=model.endpoint))

    try:
        body = msgspec.json.encode(data.request)
        asked, shown = await found(spec, request.read(spec, body, "application/json").arguments)
        if shown.asked > shown.cached and over(spec):
            asked, shown = await found(*succeed(spec, asked.arguments, models, over)[:2])
    except InputRejected as rejected:
        first = rejected.issues[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    after = models.get(successor(asked.spec, directory))
    return quoted(
        shown,
        services.calendar,
        asked,
        ended=over(asked.spec) is not None,
        after=succession(asked.spec, asked.arguments, after) if after else None,
    )

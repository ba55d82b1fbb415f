"""`falgate quote`: what a request would cost an app, and which budget would refuse it."""

import json

import click
import msgspec
from redis.asyncio import Redis

from falgate.accounts.apikey import Permissions
from falgate.accounts.store.registry import Registry
from falgate.cache.directives import Directives
from falgate.cache.policy import resolve
from falgate.cache.store.places import Places
from falgate.cache.store.pools import Pools
from falgate.cli.operating import as_json, with_redis
from falgate.core.account import chain
from falgate.core.errors import InputRejected
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.first_start import FIRST, open_pictures
from falgate.http.quote import Quoted, quoted
from falgate.models import arguments as request
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.pictures.convert import Converter
from falgate.pictures.intake import PictureIntake
from falgate.requests.quote import QuoteRequest, Quotes
from falgate.settings import Settings


@click.command()
@click.argument("body")
@click.option("--model", default=next(iter(MODELS)), show_default=True, help="Its endpoint.")
@click.option("--app", default=f"{FIRST}/{FIRST}", show_default=True, help="TEAM/APP that asks.")
@as_json
def quote(body: str, *, model: str, app: str, plain: bool) -> None:
    """What a request with this JSON BODY would cost now. Nothing is spent.

    Budgets of the app's keys are apart: a key's own quote is at /v1/quote.
    """
    spec = MODELS.get(model)
    if spec is None:
        raise NotFound(f"There is no model {model}; there are {', '.join(MODELS)}")
    team, slash, name = app.partition("/")
    if not slash:
        raise Invalid("An app is named within its team, such as web/shop")
    try:
        arguments = request.read(spec, body.encode(), "application/json").arguments
    except InputRejected as rejected:
        first = rejected.issues[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    async def ask(settings: Settings, redis: Redis) -> Quoted:
        live = await Ledger(redis).live()
        if live is None:
            raise Conflict("No gateway has used this ledger yet: start one, once")
        known = (await Registry(redis).directory()).apps.get(app)
        if known is None:
            raise NotFound(f"There is no app {app}; `falgate apps list` shows them")
        treatment = resolve(Directives(), known.cache, Permissions(), team=team, app=name)
        quotes = Quotes(
            Pools(redis),
            PictureIntake(open_pictures(settings), Converter(settings.derived_quality)),
            Budgets(redis, settings.calendar),
            Places(redis),
        )
        asked = QuoteRequest(
            spec=spec,
            arguments=arguments,
            upstream=live,
            fingerprint=treatment.pool_of(spec, arguments, live),
            accounts=chain(team, name, "")[:-1],
            treatment=treatment,
        )
        return quoted(await quotes.quote(asked), settings.calendar)

    found = with_redis(ask)
    click.echo(json.dumps(msgspec.to_builtins(found)) if plain else _words(found))


def _words(found: Quoted) -> str:
    missing = found.asked - found.cached
    lines = [f"{found.cache}: {found.cached} of {found.asked} pictures are there, {missing} to buy"]
    if missing:
        lines.append(
            f"list price ${found.list_usd}, about ${found.estimate_usd} with its text, "
            f"at most ${found.hold_usd}"
        )
    lines += [
        f"refused by the {short.window} budget of {short.account}: "
        f"${short.remaining_usd} of ${short.limit_usd} left"
        for short in found.refused_by
    ]
    lines += [
        f"the shadow {short.window} budget of {short.account} has no room for it"
        for short in found.overdrawn
    ]
    return "\n".join(lines)

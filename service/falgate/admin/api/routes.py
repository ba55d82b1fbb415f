"""Assembles the admin routes behind the keys of operators."""

import re

import msgspec
from litestar import HttpMethod, Router, route
from litestar.params import FromPath

from falgate.admin.api import (
    accounts,
    activity,
    aliases,
    apps,
    audit,
    budgets,
    cache,
    config,
    deliveries,
    gallery,
    jobs,
    keys,
    ledger,
    ledger_figures,
    limits,
    model,
    model_form,
    models,
    operators,
    overview,
    playground,
    problems,
    quote,
    requests,
    setup,
    sign_in_links,
    status,
    stops,
    teams,
    usage,
    whoami,
)
from falgate.admin.api.problems import PREFIX, AdminRequest
from falgate.admin.api.services import (
    LEAD,
    READS,
    AdminServices,
    guard,
    of_one_type,
    providers,
    within_bounds,
)
from falgate.admin.api.sign_in_links import SignInLinks
from falgate.admin.api.status import Probes
from falgate.billing.ledger_health import LedgerHealthStore
from falgate.core.problems import NotFound
from falgate.jobs.under_way import JobsUnderWay
from falgate.money.figures import Figures
from falgate.money.reports import Reports
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.gallery import Gallery
from falgate.pictures.storage import PictureStore
from falgate.pictures.thumbnails import Thumbnails
from falgate.requests.erasure import PromptEraser
from falgate.requests.playground import Playground
from falgate.requests.quote import Quotes
from falgate.requests.reroll import Rerolls
from falgate.telemetry.request_story import Requests
from falgate.webhooks.admin import WebhookAdmin

ALWAYS = (
    *(teams, apps, keys, setup, limits, budgets, stops, accounts, operators, whoami),
    *(audit, config, ledger, ledger_figures, usage, activity, jobs),
    *(deliveries, requests, model, model_form, models, aliases),
)


class PictureParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes about pictures need.

    Attributes:
        cache_admin: Pools and pictures.
        gallery: The same pictures with their requests.
        quotes: What requests would cost.
        probes: What runs, and on what.
        rerolls: Buys another picture; None without a gateway, like the next one.
        eraser: Erases prompts.
        playground: Buys for operators.
        thumbnails: Makes thumbnails.
        picture_store: Where the pictures' files are.
        sign_in_links: Makes links to the console.
    """

    cache_admin: CacheAdmin
    gallery: Gallery
    quotes: Quotes
    probes: Probes
    rerolls: Rerolls | None = None
    eraser: PromptEraser | None = None
    playground: Playground | None = None
    thumbnails: Thumbnails | None = None
    picture_store: PictureStore | None = None
    sign_in_links: SignInLinks | None = None


class AdminParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes need.

    Attributes:
        services: Records, budgets, and the admin key.
        reports: Usage and entries of the ledger.
        figures: Activity and totals.
        under_way: Open jobs.
        ledger_healths: What is known of the ledger.
        deliveries: Webhooks.
        requests: The requests of the last days.
        pictures: None where nobody asks for pictures.
    """

    services: AdminServices
    reports: Reports
    figures: Figures
    under_way: JobsUnderWay
    ledger_healths: LedgerHealthStore
    deliveries: WebhookAdmin
    requests: Requests
    pictures: PictureParts | None = None


def admin_routes(parts: AdminParts, resource: str = "", method: str = "") -> list[Router]:
    """The routes under /admin/v1: all, or those of a resource and a method: `budgets`, GET."""
    services, pictures = parts.services, parts.pictures
    handlers = [handler for each in ALWAYS for handler in each.routes.handlers]
    if pictures:
        for each in (cache, gallery, quote, status, overview):
            handlers += each.routes.handlers
        if pictures.rerolls:
            for each in (cache, gallery):
                handlers += each.gateway_routes.handlers
            handlers += playground.routes.handlers
            handlers += sign_in_links.routes.handlers
    if resource:
        of_resource = re.compile(rf"/{re.escape(resource)}(/|$)")
        handlers = [
            each
            for each in handlers
            if method in each.http_methods and any(map(of_resource.match, each.paths))
        ]
    router = Router(
        PREFIX,
        route_handlers=[*handlers, unknown],
        request_class=AdminRequest,
        guards=[guard(services.access), within_bounds, of_one_type],
        dependencies=providers(
            services,
            reports=parts.reports,
            figures=parts.figures,
            under_way=parts.under_way,
            ledger_healths=parts.ledger_healths,
            slots_max=services.slots_max,
            webhooks=parts.deliveries,
            requests=parts.requests,
            **(msgspec.structs.asdict(pictures) if pictures else {}),
        ),
        exception_handlers=problems.HANDLERS,
        security=[{"adminKeyAuth": []}],
    )
    return [router]


@route(
    "/{path:path}",
    http_method=list(HttpMethod),
    status_code=200,
    include_in_schema=False,
    opt={READS: True, LEAD: True},
)
async def unknown(path: FromPath[str]) -> None:
    """Answer 404 to any other path."""
    raise NotFound(f"There is no {PREFIX}{path[:100]}; see /docs for the routes")

"""Assembles the admin routes behind the admin key."""

import re

import msgspec
from litestar import HttpMethod, Router, route
from litestar.params import FromPath

from falgate.admin.api import (
    accounts,
    aliases,
    apps,
    audit,
    budgets,
    cache,
    config,
    deliveries,
    gallery,
    keys,
    ledger,
    limits,
    model,
    models,
    problems,
    quote,
    status,
    stops,
    teams,
    usage,
)
from falgate.admin.api.problems import PREFIX, AdminRequest
from falgate.admin.api.services import AdminServices, guard, of_one_type, providers, within_bounds
from falgate.admin.api.status import Probes
from falgate.core.problems import NotFound
from falgate.money.reports import Reports
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.gallery import Gallery
from falgate.pictures.storage import PictureStore
from falgate.pictures.thumbnails import Thumbnails
from falgate.requests.erasure import PromptEraser
from falgate.requests.quote import Quotes
from falgate.requests.reroll import Rerolls
from falgate.webhooks.admin import WebhookAdmin

_ALWAYS = (
    *(teams, apps, keys, limits, budgets, stops, accounts),
    *(audit, config, ledger, usage, deliveries, model, models, aliases),
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
        thumbnails: Makes thumbnails.
        picture_store: Where the pictures' files are.
    """

    cache_admin: CacheAdmin
    gallery: Gallery
    quotes: Quotes
    probes: Probes
    rerolls: Rerolls | None = None
    eraser: PromptEraser | None = None
    thumbnails: Thumbnails | None = None
    picture_store: PictureStore | None = None


class AdminParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes need.

    Attributes:
        services: Records, budgets, and the admin key.
        reports: Usage and entries of the ledger.
        deliveries: Webhooks.
        pictures: None where nobody asks for pictures.
    """

    services: AdminServices
    reports: Reports
    deliveries: WebhookAdmin
    pictures: PictureParts | None = None


def admin_routes(parts: AdminParts, resource: str = "", method: str = "") -> list[Router]:
    """The routes under /admin/v1: all, or those of a resource and a method: `budgets`, GET."""
    services, pictures = parts.services, parts.pictures
    handlers = [handler for each in _ALWAYS for handler in each.routes.handlers]
    if pictures:
        handlers += (
            cache.routes.handlers
            + gallery.routes.handlers
            + quote.routes.handlers
            + status.routes.handlers
        )
        if pictures.rerolls:
            handlers += cache.gateway_routes.handlers + gallery.gateway_routes.handlers
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
        guards=[guard(services.admin_key, services.wrong_keys), within_bounds, of_one_type],
        dependencies=providers(
            services,
            reports=parts.reports,
            webhooks=parts.deliveries,
            **(msgspec.structs.asdict(pictures) if pictures else {}),
        ),
        exception_handlers=problems.HANDLERS,
        security=[{"adminKeyAuth": []}],
    )
    return [router]


@route("/{path:path}", http_method=list(HttpMethod), status_code=200, include_in_schema=False)
async def unknown(path: FromPath[str]) -> None:
    """Answer 404 to any other path."""
    raise NotFound(f"There is no {PREFIX}{path[:100]}; see /docs for the routes")

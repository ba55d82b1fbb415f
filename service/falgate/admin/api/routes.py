"""Assembles the admin routes behind the admin key."""

from typing import Any

import msgspec
from litestar import HttpMethod, Router, route
from litestar.di import Provide
from litestar.params import FromPath

from falgate.admin.api import (
    accounts,
    apps,
    audit,
    budgets,
    config,
    keys,
    limits,
    problems,
    teams,
)
from falgate.admin.api.cache import CacheServices, cache_routes
from falgate.admin.api.deliveries import delivery_routes
from falgate.admin.api.ledger import ledger_routes
from falgate.admin.api.problems import PREFIX, AdminRequest
from falgate.admin.api.quote import quote_routes
from falgate.admin.api.services import (
    AdminServices,
    guard,
    in_the_name_of,
    of_one_type,
    with_books,
    within_bounds,
)
from falgate.admin.api.status import Probes, status_routes
from falgate.admin.api.usage import usage_routes
from falgate.core.problems import NotFound
from falgate.money.reports import Reports
from falgate.requests.quote import Quotes
from falgate.webhooks.admin import WebhookAdmin


class AdminParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes need.

    Attributes:
        services: Records, budgets, and the admin key.
        reports: Usage and entries of the ledger.
        deliveries: Webhooks.
        cache: Pools and pictures; None where nobody asks for them, like what follows.
        quotes: What requests would cost.
        probes: What runs, and on what.
    """

    services: AdminServices
    reports: Reports
    deliveries: WebhookAdmin
    cache: CacheServices | None = None
    quotes: Quotes | None = None
    probes: Probes | None = None


def admin_routes(parts: AdminParts) -> list[Router]:
    """Every route under /admin/v1."""
    services = parts.services
    own: tuple[Any, ...] = (
        *teams.HANDLERS,
        *apps.HANDLERS,
        *keys.HANDLERS,
        *limits.HANDLERS,
        *budgets.HANDLERS,
        *accounts.HANDLERS,
        *audit.HANDLERS,
        *config.HANDLERS,
        *ledger_routes(parts.reports, services.upstreams),
        *usage_routes(parts.reports, services.upstreams),
        *delivery_routes(parts.deliveries),
        *(cache_routes(parts.cache) if parts.cache else ()),
        *(quote_routes(services, parts.quotes) if parts.quotes else ()),
        *(status_routes(parts.probes, services.upstreams) if parts.probes else ()),
    )
    router = Router(
        PREFIX,
        route_handlers=[*own, unknown],
        request_class=AdminRequest,
        guards=[guard(services.admin_key, services.wrong_keys), within_bounds, of_one_type],
        dependencies={
            "admin": Provide(in_the_name_of(services), sync_to_thread=False),
            "accounts": Provide(with_books(services), sync_to_thread=False),
            "calendar": Provide(lambda: services.calendar, sync_to_thread=False),
        },
        exception_handlers=problems.HANDLERS,
        security=[{"adminKeyAuth": []}],
    )
    return [router]


@route("/{path:path}", http_method=list(HttpMethod), status_code=200, include_in_schema=False)
async def unknown(path: FromPath[str]) -> None:
    """Answer 404 to any other path."""
    raise NotFound(f"There is no {PREFIX}{path[:100]}; see /docs for the routes")

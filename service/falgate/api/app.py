"""The ASGI application: every route, behind the edge."""

from collections.abc import Callable

from litestar import Litestar

from falgate.api.address import Address
from falgate.api.admin.cache import CacheServices, cache_routes
from falgate.api.admin.deliveries import delivery_routes
from falgate.api.admin.ledger import ledger_routes
from falgate.api.admin.routes import admin_routes
from falgate.api.admin.services import AdminServices
from falgate.api.admin.usage import usage_routes
from falgate.api.cors import Cors
from falgate.api.docs import ASSET_ROUTES, openapi
from falgate.api.edge import Edge
from falgate.api.errors import HANDLERS
from falgate.api.gallery import Gallery
from falgate.api.head import HeadAsGet
from falgate.api.health import Vitals, health_routes
from falgate.api.hooks import hook_route
from falgate.api.jwks import jwks_route
from falgate.api.model_openapi import model_openapi_route
from falgate.api.pictures import pictures_router
from falgate.api.proxy import Proxy
from falgate.api.queue import QueueApi
from falgate.api.quote import quote_routes
from falgate.api.run import run_routes
from falgate.core.calendar import Calendar
from falgate.core.target import Rules
from falgate.core.webhook import KeySet
from falgate.flow.completion import Completions
from falgate.flow.deliveries_admin import DeliveryDesk
from falgate.flow.reports import Reports
from falgate.flow.workshop import Workshop


def create_app(
    workshop: Workshop,
    *,
    gallery: Gallery,
    vitals: Vitals,
    address: Address,
    completions: Completions | None,
    administration: AdminServices,
    reports: Reports,
    deliveries: DeliveryDesk,
    cache: CacheServices,
    key_set: KeySet,
    webhook_rules: Rules,
    calendar: Calendar,
    requested: Callable[[str, int], None],
    body_bytes_max: int,
    body_timeout_s: float,
    cors: Cors | None = None,
) -> Edge:
    """Put the routes together."""
    books = (
        *ledger_routes(reports, administration.upstreams),
        *usage_routes(reports, administration.upstreams),
        *delivery_routes(deliveries),
        *cache_routes(cache),
    )
    queued = QueueApi(workshop, address=address, gallery=gallery, webhook_rules=webhook_rules)
    app = Litestar(
        route_handlers=[
            *run_routes(workshop, queued, address, gallery),
            *quote_routes(workshop.ports, calendar),
            model_openapi_route(workshop.ports, address),
            pictures_router(gallery),
            *([hook_route(completions)] if completions else []),
            *admin_routes(administration, books),
            jwks_route(key_set),
            *health_routes(vitals),
            *ASSET_ROUTES,
        ],
        exception_handlers=HANDLERS,
        openapi_config=openapi(),
        # The edge bounds bodies; the process sets up logging, once for everybody.
        request_max_body_size=None,
        logging_config=None,
    )
    return Edge(
        HeadAsGet(Proxy(app)),
        models=workshop.ports.models,
        requested=requested,
        body_bytes_max=body_bytes_max,
        body_timeout_s=body_timeout_s,
        cors=cors,
    )

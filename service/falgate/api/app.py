"""The ASGI applications: every route behind the edge, on one listener or on two."""

from collections.abc import Callable
from functools import partial

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, ControllerRouterHandler

from falgate.api.address import Address
from falgate.api.admin.cache import CacheServices, cache_routes
from falgate.api.admin.deliveries import delivery_routes
from falgate.api.admin.ledger import ledger_routes
from falgate.api.admin.routes import admin_routes
from falgate.api.admin.services import AdminServices
from falgate.api.admin.usage import usage_routes
from falgate.api.cors import Cors
from falgate.api.docs import openapi
from falgate.api.edge import Edge
from falgate.api.errors import HANDLERS
from falgate.api.gallery import Gallery
from falgate.api.head import HeadAsGet
from falgate.api.health import Vitals, healthz, vitals_routes
from falgate.api.hooks import hook_route
from falgate.api.index import index_route
from falgate.api.jwks import jwks_route
from falgate.api.model_openapi import model_openapi_route
from falgate.api.money import money_routes
from falgate.api.operations import Apart
from falgate.api.pictures import pictures_router
from falgate.api.proxy import Proxy
from falgate.api.queue import QueueApi
from falgate.api.quote import quote_routes
from falgate.api.run import run_routes
from falgate.core.calendar import Calendar
from falgate.core.events import Refused
from falgate.core.target import Rules
from falgate.core.webhook import KeySet
from falgate.flow.completion import Completions
from falgate.flow.deliveries_admin import DeliveryDesk
from falgate.flow.reports import Reports
from falgate.flow.workshop import Workshop


class Applications(msgspec.Struct, frozen=True):
    """What the listeners serve.

    Attributes:
        apps: The apps' listeners.
        operators: The operators' one; None where the apps' listeners have all of it.
    """

    apps: ASGIApp
    operators: ASGIApp | None = None


def create_applications(
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
    refused: Callable[[Refused], None],
    body_bytes_max: int,
    body_timeout_s: float,
    cors: Cors | None = None,
    apart: bool = False,
) -> Applications:
    """Put the routes together; `apart`, the operators' are on a listener of their own."""
    books = (
        *ledger_routes(reports, administration.upstreams),
        *usage_routes(reports, administration.upstreams),
        *delivery_routes(deliveries),
        *cache_routes(cache),
    )
    ports = workshop.ports
    queued = QueueApi(workshop, address=address, gallery=gallery, webhook_rules=webhook_rules)
    for_apps: list[ControllerRouterHandler] = [
        index_route(ports.models, docs=not apart),
        *run_routes(workshop, queued, address, gallery),
        *quote_routes(ports, calendar),
        *money_routes(ports, reports, calendar),
        model_openapi_route(ports, address),
        pictures_router(gallery),
        *([hook_route(completions)] if completions else []),
        jwks_route(key_set),
        healthz,
    ]
    for_operators: list[ControllerRouterHandler] = [
        *admin_routes(administration, books),
        *vitals_routes(vitals),
    ]
    edge = partial(
        Edge,
        models=ports.models,
        requested=requested,
        refused=refused,
        body_bytes_max=body_bytes_max,
        body_timeout_s=body_timeout_s,
    )
    whole = _routed([*for_apps, *for_operators])
    if not apart:
        return Applications(edge(HeadAsGet(Proxy(whole)), cors=cors))
    # The page of the operators' listener documents all routes, also those that others answer.
    operators = edge(HeadAsGet(Apart(whole, operators=True)))
    only_apps = Proxy(_routed(for_apps, documented=False))
    return Applications(edge(HeadAsGet(Apart(only_apps, operators=False)), cors=cors), operators)


def _routed(routes: list[ControllerRouterHandler], *, documented: bool = True) -> Litestar:
    return Litestar(
        route_handlers=routes,
        exception_handlers=HANDLERS,
        openapi_config=openapi() if documented else None,
        # The edge bounds bodies; the process sets up logging, once for everybody.
        request_max_body_size=None,
        logging_config=None,
    )

"""The ASGI applications: all routes behind the edge, for one listener or for two."""

from collections.abc import Callable
from functools import cache, partial

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ASGIApp, ControllerRouterHandler

from falgate.admin.api.routes import AdminParts, admin_routes
from falgate.core.calendar import Calendar
from falgate.core.events import Refused
from falgate.egress.target import Rules
from falgate.fal.signing import KeySet
from falgate.http.address import Address
from falgate.http.body_limits import BodyLimits
from falgate.http.cors import Cors
from falgate.http.docs import openapi
from falgate.http.edge import Edge
from falgate.http.errors import HANDLERS
from falgate.http.fal_callback import hook_route
from falgate.http.fal_openapi import model_openapi_route
from falgate.http.head import HeadAsGet
from falgate.http.health import Health, health_routes, healthz
from falgate.http.index import index_route
from falgate.http.jwks import jwks_route
from falgate.http.later import Later
from falgate.http.money import money_routes
from falgate.http.operations import Apart
from falgate.http.picture_urls import PictureUrls
from falgate.http.pictures import pictures_router
from falgate.http.proxy import Proxy
from falgate.http.queue import QueueApi
from falgate.http.quote import quote_routes
from falgate.http.run import RunApi, run_routes
from falgate.http.uploads import upload_routes
from falgate.inputs.uploads import Uploads
from falgate.jobs.callback import FalCallbacks
from falgate.requests.runtime import Runtime


class Applications(msgspec.Struct, frozen=True):
    """What the listeners serve.

    Attributes:
        apps: For the apps' listeners.
        operators: For the operators' listener; None if the apps' listeners serve everything.
    """

    apps: ASGIApp
    operators: ASGIApp | None = None


def create_applications(
    runtime: Runtime,
    *,
    picture_urls: PictureUrls,
    health: Health,
    address: Address,
    completions: FalCallbacks | None,
    administration: AdminParts,
    key_set: Callable[[], KeySet],
    webhook_rules: Rules,
    calendar: Calendar,
    requested: Callable[[str, int], None],
    refused: Callable[[Refused], None],
    bodies: BodyLimits,
    uploads: Uploads,
    console: Callable[[ASGIApp], ASGIApp] | None = None,
    cors: Cors | None = None,
    apart: bool = False,
) -> Applications:
    """Assemble the routes; `apart` moves the operators' routes to a separate application.

    `console` makes the console of the administration; None: there is none.
    """
    ports = runtime.ports
    queued = QueueApi(runtime, address, picture_urls, webhook_rules)
    for_apps: list[ControllerRouterHandler] = [
        index_route(ports.models, docs=not apart),
        *run_routes(RunApi(runtime, queued, address, picture_urls), ports.models),
        *quote_routes(ports, calendar),
        *money_routes(ports, administration.reports, calendar),
        model_openapi_route(ports, address),
        pictures_router(picture_urls),
        *upload_routes(ports, uploads, address),
        *([hook_route(completions)] if completions else []),
        jwks_route(key_set),
        healthz,
    ]
    edge = partial(
        Edge,
        models=ports.models,
        requested=requested,
        refused=refused,
        bodies=bodies,
    )
    served = _routed([*for_apps, *health_routes(health)], None)

    # The documentation covers the routes of the apps too.
    whole = Later(
        served,
        _for_operators(
            lambda: [*for_apps, *health_routes(health), *admin_routes(administration)], console
        ),
    )
    if not apart:
        return Applications(edge(HeadAsGet(Proxy(whole)), cors=cors))
    operators = edge(HeadAsGet(Apart(whole, operators=True)))
    only_apps = Proxy(served)
    return Applications(edge(HeadAsGet(Apart(only_apps, operators=False)), cors=cors), operators)


def _for_operators(
    routes: Callable[[], list[ControllerRouterHandler]],
    console: Callable[[ASGIApp], ASGIApp] | None,
) -> dict[str, Callable[[], ASGIApp]]:
    """What builds the operators' applications, by the first segment of their paths."""

    @cache
    def everything() -> Litestar:
        return _routed(routes(), openapi())

    def documented() -> Litestar:
        # Read once, so that it is made here and not at its first reader in the event loop.
        assert everything().openapi_schema
        return everything()

    built: dict[str, Callable[[], ASGIApp]] = {"admin": everything, "docs": documented}
    if console is not None:
        built["console"] = lambda: console(everything())
    return built


def _routed(routes: list[ControllerRouterHandler], document: OpenAPIConfig | None) -> Litestar:
    return Litestar(
        route_handlers=routes,
        exception_handlers=HANDLERS,
        openapi_config=document,
        # The edge limits bodies, and the process configures logging.
        request_max_body_size=None,
        logging_config=None,
    )

"""The ASGI application: every route, behind the edge."""

from collections.abc import Callable

from litestar import Litestar

from falgate.api.address import Address
from falgate.api.docs import ASSET_ROUTES, openapi
from falgate.api.edge import Edge
from falgate.api.errors import HANDLERS
from falgate.api.health import Vitals, health_routes
from falgate.api.pictures import PictureSource, pictures_router
from falgate.api.run import run_routes
from falgate.flow.answer import Answers
from falgate.flow.ports import Ports


def create_app(
    ports: Ports,
    answers: Answers,
    *,
    pictures: PictureSource,
    vitals: Vitals,
    address: Address,
    requested: Callable[[str, int], None],
    body_bytes_max: int,
    body_timeout_s: float,
) -> Edge:
    """Put the routes together."""
    app = Litestar(
        route_handlers=[
            *run_routes(ports, answers, address, pictures.read),
            pictures_router(pictures),
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
        app,
        models=ports.models,
        requested=requested,
        body_bytes_max=body_bytes_max,
        body_timeout_s=body_timeout_s,
    )

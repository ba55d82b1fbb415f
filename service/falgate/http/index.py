"""The `/` route: an overview of the gateway's paths."""

from collections.abc import Iterable
from typing import Any

from litestar import HttpMethod, Request, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from falgate.http.docs_page import PATH as DOCS
from falgate.http.fal_openapi import PATH as OPENAPI
from falgate.http.proxy import PATH as PROXY

_LOOKS = frozenset({HttpMethod.GET, HttpMethod.HEAD})


def index_route(models: Iterable[str], *, docs: bool) -> HTTPRouteHandler:
    """Return the route; `docs` tells whether this listener serves the documentation page."""
    shown: dict[str, object] = {
        "detail": "falgate, a gateway to fal's image models: POST to a model's path with a key",
        "models": [f"/{endpoint}" for endpoint in models],
        "queue": "/queue",
        "proxy": PROXY,
        "openapi": f"{OPENAPI}?endpoint_id=",
        "health": "/healthz",
        **({"docs": DOCS} if docs else {}),
    }

    @route("/", http_method=list(HttpMethod), status_code=200, include_in_schema=False)
    async def index(request: Request[Any, Any, Any]) -> dict[str, object]:
        if request.method not in _LOOKS:
            raise NotFoundException
        return shown

    return index

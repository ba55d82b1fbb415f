"""Whether falgate is alive and ready, and its metrics."""

from collections.abc import Callable, Sequence
from typing import Protocol

from litestar import HttpMethod, MediaType, Response, get, route
from litestar.handlers import HTTPRouteHandler

_TAGS = ["operations"]
_GET_HEAD = [HttpMethod.GET, HttpMethod.HEAD]
"""Some load balancers ask by HEAD; the server leaves the body out."""


def _operation(name: str) -> Callable[..., str]:
    """Two methods are two operations, and no two may have one name."""
    return lambda _handler, method, _path: name if method == HttpMethod.GET else f"{name}Head"


class Vitals(Protocol):
    """What can be asked of a running gateway."""

    async def troubles(self) -> dict[str, str]:
        """What is not there, and why: nothing when all is well."""

    async def metrics(self) -> bytes:
        """Prometheus's text format."""


@route(
    "/healthz",
    http_method=_GET_HEAD,
    tags=_TAGS,
    operation_id=_operation("healthz"),
    summary="Is the process alive?",
)
async def healthz() -> dict[str, str]:
    """It is, when it says so."""
    return {"status": "alive"}


def vitals_routes(vitals: Vitals) -> Sequence[HTTPRouteHandler]:
    """The routes for orchestrators and Prometheus; they need no key and tell no secret."""

    @route(
        "/readyz",
        http_method=_GET_HEAD,
        tags=_TAGS,
        operation_id=_operation("readyz"),
        summary="Can it answer: are Redis and the store there?",
    )
    async def readyz() -> Response[dict[str, object]]:
        troubles = await vitals.troubles()
        if troubles:
            return Response({"status": "not ready", "troubles": troubles}, status_code=503)
        return Response({"status": "ready"})

    @get(
        "/metrics",
        tags=_TAGS,
        operation_id="metrics",
        summary="Prometheus's metrics",
        media_type=MediaType.TEXT,
    )
    async def metrics() -> Response[bytes]:
        return Response(await vitals.metrics(), media_type="text/plain; version=0.0.4")

    return [readyz, metrics]

"""Whether falgate is alive and ready, and its metrics."""

from collections.abc import Sequence
from typing import Protocol

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

_TAGS = ["operations"]


class Health(Protocol):
    """What can be asked of a running gateway."""

    async def troubles(self) -> dict[str, str]:
        """What is not there, and why: nothing when all is well."""

    async def metrics(self) -> bytes:
        """Prometheus's text format."""


@get(
    "/healthz",
    tags=_TAGS,
    operation_id="healthz",
    summary="Is the process alive?",
)
async def healthz() -> dict[str, str]:
    """It is, when it says so."""
    return {"status": "alive"}


def health_routes(health: Health) -> Sequence[HTTPRouteHandler]:
    """The routes for orchestrators and Prometheus; they need no key and tell no secret."""

    @get(
        "/readyz",
        tags=_TAGS,
        operation_id="readyz",
        summary="Can it answer: are Redis and the store there?",
    )
    async def readyz() -> Response[dict[str, object]]:
        troubles = await health.troubles()
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
        return Response(await health.metrics(), media_type="text/plain; version=0.0.4")

    return [readyz, metrics]

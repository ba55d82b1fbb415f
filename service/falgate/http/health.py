"""Liveness, readiness and metrics routes."""

from collections.abc import Sequence
from typing import Protocol

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

_TAGS = ["operations"]


class Health(Protocol):
    """The state of a running gateway."""

    async def troubles(self) -> dict[str, str]:
        """Return what is unavailable and why; empty when the gateway is ready."""

    async def metrics(self) -> bytes:
        """Return the metrics in Prometheus's text format."""


@get(
    "/healthz",
    tags=_TAGS,
    operation_id="healthz",
    summary="Check that the process is alive",
)
async def healthz() -> dict[str, str]:
    """Always answers 200."""
    return {"status": "alive"}


def health_routes(health: Health) -> Sequence[HTTPRouteHandler]:
    """Return the routes for orchestrators and Prometheus; they need no key."""

    @get(
        "/readyz",
        tags=_TAGS,
        operation_id="readyz",
        summary="Check that Redis and the picture store are available",
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
        summary="Get the metrics in Prometheus's text format",
        media_type=MediaType.TEXT,
    )
    async def metrics() -> Response[bytes]:
        return Response(await health.metrics(), media_type="text/plain; version=0.0.4")

    return [readyz, metrics]

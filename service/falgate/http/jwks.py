"""The JWKS route: the public keys that verify webhooks, at the path that fal uses for its own."""

from collections.abc import Callable

from litestar import get
from litestar.datastructures import CacheControlHeader
from litestar.handlers import HTTPRouteHandler

from falgate.fal.signing import KeySet

_FRESH_S = 3_600


def jwks_route(key_set: Callable[[], KeySet]) -> HTTPRouteHandler:
    """Return the route. It needs no key: the keys are public."""

    @get(
        "/.well-known/jwks.json",
        tags=["webhooks"],
        operation_id="jwks",
        summary="Get the public keys that verify webhooks",
        cache_control=CacheControlHeader(public=True, max_age=_FRESH_S),
    )
    async def jwks() -> dict[str, list[dict[str, str]]]:
        """The same keys on every instance; receivers may cache them for a day."""
        return key_set()

    return jwks

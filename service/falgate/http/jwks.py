"""The public key that webhooks are signed with, where fal publishes its own."""

from litestar import get
from litestar.datastructures import CacheControlHeader
from litestar.handlers import HTTPRouteHandler

from falgate.fal.signing import KeySet

_FRESH_S = 3_600


def jwks_route(key_set: KeySet) -> HTTPRouteHandler:
    """The route; it needs no key, because it tells no secret."""

    @get(
        "/.well-known/jwks.json",
        tags=["webhooks"],
        operation_id="jwks",
        summary="The keys that webhooks are signed with",
        cache_control=CacheControlHeader(public=True, max_age=_FRESH_S),
    )
    async def jwks() -> dict[str, list[dict[str, str]]]:
        """The same on every instance; a receiver may keep it for a day."""
        return key_set

    return jwks

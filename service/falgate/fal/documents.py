"""Client for fal's OpenAPI documents, one for each endpoint, which need no key."""

from urllib.parse import urlencode

from falgate.fal.connections import Sender, Sockets, authorities
from falgate.fal.http import ExchangeFailed, Unusable, exchange

_LOOK_S = 30.0
_BYTES_MAX = 2 * 1024 * 1024
_OK = 200


class DocumentUnavailable(Exception):
    """fal's document of an endpoint cannot be had now; the message says why."""


class FalDocuments:
    """Client for the documents."""

    def __init__(self, url: str) -> None:
        """Ask `url`, such as "https://fal.ai/api/openapi/queue/openapi.json"."""
        self._url = url
        self._client: Sender = Sockets(authorities(), url)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def document(self, endpoint: str) -> bytes:
        """Return fal's document of an endpoint, unchecked.

        Raises:
            DocumentUnavailable: fal has none, or cannot be reached.
        """
        try:
            reply = await exchange(
                self._client,
                "GET",
                f"{self._url}?{urlencode({'endpoint_id': endpoint})}",
                deadline_s=_LOOK_S,
                bytes_max=_BYTES_MAX,
                headers={"Accept": "application/json"},
            )
        except (ExchangeFailed, Unusable) as error:
            raise DocumentUnavailable(f"fal's documents cannot be reached ({error})") from None
        if reply.status != _OK:
            raise DocumentUnavailable(
                f"fal answered {reply.status} when it was asked for its document of {endpoint}"
            )
        return reply.body

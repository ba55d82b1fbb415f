"""The webhook sender: signed HTTP requests to addresses that are checked when they connect."""

import asyncio
import ssl

import httpx
from aiohttp.abc import AbstractResolver

from falgate.core.errors import Refusal
from falgate.egress.resolver import TargetRefused
from falgate.egress.session import GuardedSession, name_of
from falgate.egress.target import Rules
from falgate.fal import connections
from falgate.webhooks.delivery import Attempt, Signer
from falgate.webhooks.target import check_target

_DEADLINE_S = 15.0


class WebhookSender:
    """Sends webhooks to addresses that are checked whenever they are connected to."""

    def __init__(
        self,
        signer: Signer,
        rules: Rules,
        *,
        authorities: ssl.SSLContext | None = None,
        lookups: AbstractResolver | None = None,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        """Send messages signed by `signer` to targets that `rules` allow; needs an event loop.

        Args:
            signer: Holds falgate's own key.
            rules: The allowed targets.
            authorities: Trusted certificate authorities; by default the system's.
            lookups: Resolves host names; by default with the system's resolver.
            deadline_s: Maximum time of one attempt, seconds.
        """
        self._signer = signer
        self._rules = rules
        self._deadline_s = deadline_s
        self._session = GuardedSession(rules, authorities or connections.authorities(), lookups)

    async def send(self, url: str, request_id: str, body: bytes, now_s: int) -> Attempt:
        """Make one attempt. Only a 2xx means delivered; the response body is not read."""
        headers = self._signer.headers(request_id, body, now_s)
        try:
            # Checked again because the rules may have changed since the submit, and because IP
            # addresses in URLs never pass through the resolver.
            check_target(url, self._rules)
            async with (
                asyncio.timeout(self._deadline_s),
                self._session.request("POST", url, data=body, headers=headers) as response,
            ):
                taken = httpx.codes.is_success(response.status)
                return Attempt(taken=taken, said=str(response.status))
        except Refusal:
            return Attempt(taken=False, said=TargetRefused.__name__)
        except Exception as error:  # noqa: BLE001 - the libraries document no closed set of errors
            return Attempt(taken=False, said=name_of(error))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

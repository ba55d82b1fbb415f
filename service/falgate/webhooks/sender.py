"""The webhook sender: signed HTTP requests to addresses that are checked when they connect."""

import asyncio
import ssl
from functools import partial
from urllib.parse import quote

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from yarl import URL

from falgate import __version__
from falgate.core.errors import Refusal
from falgate.fal import connections
from falgate.webhooks.delivery import Attempt, Signer
from falgate.webhooks.resolver import GuardedResolver, Resolver, TargetRefused, socket_to
from falgate.webhooks.target import Rules, check_target, origin

_DEADLINE_S = 15.0
_ASCII = "".join(map(chr, range(128)))


class WebhookSender:
    """Sends webhooks. Follows no redirects, uses no proxy and keeps no cookies.

    Each attempt opens its own connection, so that the host is resolved and checked again every
    time. aiohttp is used directly because httpx would parse and normalise the URL a second time,
    in its own way.
    """

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
        self._names = GuardedResolver(rules, lookups or Resolver())
        connector = aiohttp.TCPConnector(
            limit=0,
            force_close=True,
            ssl=authorities or connections.authorities(),
            resolver=self._names,
            use_dns_cache=False,
            socket_factory=partial(socket_to, rules),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"falgate/{__version__}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
        )

    async def send(self, url: str, request_id: str, body: bytes, now_s: int) -> Attempt:
        """Make one attempt. Only a 2xx means delivered; the response body is not read."""
        headers = self._signer.headers(request_id, body, now_s)
        try:
            # Checked again because the rules may have changed since the submit, and because IP
            # addresses in URLs never pass through the resolver.
            check_target(url, self._rules)
            async with (
                asyncio.timeout(self._deadline_s),
                self._session.post(
                    _as_written(url), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                taken = httpx.codes.is_success(response.status)
                return Attempt(taken=taken, said=str(response.status))
        except Refusal:
            return Attempt(taken=False, said=TargetRefused.__name__)
        except Exception as error:  # noqa: BLE001 - the libraries document no closed set of errors
            return Attempt(taken=False, said=_name(error))

    async def close(self) -> None:
        """Close the session and the resolver."""
        await self._session.close()
        await self._names.close()


def _as_written(url: str) -> URL:
    """Return a checked URL exactly as the caller wrote it, byte for byte.

    The receiver may have signed the URL, so it must not be normalised.
    """
    base = origin(url)
    path = url[len(base) :].partition("#")[0]
    return URL(quote(base + (path if path.startswith("/") else f"/{path}"), _ASCII), encoded=True)


def _name(error: BaseException) -> str:
    """Return the name of an error, or of the `TargetRefused` in its chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TargetRefused):
            return TargetRefused.__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__

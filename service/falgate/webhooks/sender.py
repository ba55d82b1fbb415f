"""Sending webhooks: signed, to addresses that are allowed when they are connected to, once each."""

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
    """Sends webhooks. No redirect is followed, no proxy asked, no cookie kept.

    Each has a connection of its own: one that was kept would go where a name led before. Without
    httpx, which would have a second reader of each URL, and spell some of them in its own way.
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
        """Send what `signer` signs to where `rules` allow; made where a loop runs.

        Args:
            signer: With falgate's own key.
            rules: See there.
            authorities: Whose certificates are believed; those of the system if none are given.
            lookups: Finds the addresses of names; the system's resolver if none is given.
            deadline_s: How long a receiver may take, all in all.
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
        """Send one, once. Only a 2xx says that it was taken; what an answer holds is not read."""
        headers = self._signer.headers(request_id, body, now_s)
        try:
            # Again, since the operator may have changed the rules; and for addresses in URLs, which
            # no resolver is asked for.
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
        except Exception as error:  # noqa: BLE001 - the libraries raise what they like
            return Attempt(taken=False, said=_name(error))

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()
        await self._names.close()


def _as_written(url: str) -> URL:
    """A URL that was checked, byte by byte as it was given: its receiver may have signed it."""
    base = origin(url)
    path = url[len(base) :].partition("#")[0]
    return URL(quote(base + (path if path.startswith("/") else f"/{path}"), _ASCII), encoded=True)


def _name(error: BaseException) -> str:
    """The kind of an error, or that of a refusal which led to it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TargetRefused):
            return TargetRefused.__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__

"""An HTTP session to addresses that callers name: no proxy, no cookies, no redirect followed."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from falgate import __version__
from falgate.egress.resolver import GuardedResolver, Resolver, TargetRefused, socket_to
from falgate.egress.target import Rules, origin

_ASCII = "".join(map(chr, range(128)))


class GuardedSession:
    """Requests to what the rules allow.

    Each request opens its own connection, so that the host is resolved and checked again every
    time. aiohttp is used directly because httpx would parse and normalise the URL a second time,
    in its own way.
    """

    def __init__(
        self, rules: Rules, authorities: ssl.SSLContext, lookups: AbstractResolver | None = None
    ) -> None:
        """Connect only where `rules` allow; needs an event loop.

        Args:
            rules: The allowed targets.
            authorities: Trusted certificate authorities.
            lookups: Resolves host names; by default with the system's resolver.
        """
        self._names = GuardedResolver(rules, lookups or Resolver())
        connector = aiohttp.TCPConnector(
            limit=0,
            force_close=True,
            ssl=authorities,
            resolver=self._names,
            use_dns_cache=False,
            socket_factory=partial(socket_to, rules),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"falgate/{__version__}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        )

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request to a URL without a `target.problem`, exactly as it was written.

        The receiver may have signed the URL, so it must not be normalised.
        """
        base = origin(url)
        path = url[len(base) :].partition("#")[0]
        written = quote(base + (path if path.startswith("/") else f"/{path}"), _ASCII)
        async with self._session.request(
            method, URL(written, encoded=True), data=data, headers=headers, allow_redirects=False
        ) as response:
            yield response

    async def close(self) -> None:
        """Close the session and the resolver."""
        await self._session.close()
        await self._names.close()


def name_of(error: BaseException) -> str:
    """Return the name of an error, or of the `TargetRefused` in its chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TargetRefused):
            return TargetRefused.__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__

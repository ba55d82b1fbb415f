"""Connections to fal: who asks, through which proxy, and for how long one may take to be made."""

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from falgate import __version__

_CONNECT_S = 10.0


def client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client that keeps no cookies and bounds only what nobody else does."""
    # A connection that is not made in time provably carried nothing; all else is bounded in whole.
    timeout = httpx.Timeout(None, connect=_CONNECT_S, pool=_CONNECT_S)
    agent = {"User-Agent": f"falgate/{__version__}"}
    # Nobody is signed in here: a jar would only grow, and carry one job's cookies to the next.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=transport, timeout=timeout, headers=agent, cookies=cookies)


def sockets(
    authorities: ssl.SSLContext, url: str, *, connections_max: int = 0, fresh: bool = False
) -> AiohttpTransport:
    """Connections to the host of a URL, of which `fresh` ones are used once."""

    # httpx's own pool walks all its connections for each event; aiohttp's does not.
    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections_max, force_close=fresh, ssl=authorities)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(connector=connector, cookie_jar=jar, proxy=_proxy(url))

    return AiohttpTransport(verify=authorities, client=session)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for a URL's host.

    Not left to aiohttp's `trust_env`, which also sends what a .netrc says, or fails because of it.
    """
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)

"""Connections to fal: who asks, through which proxy, and what proves that nothing was sent."""

import os
import ssl
from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from falgate import __version__
from falgate.fal.proxies import proxy_of

_CONNECT_S = 10.0
_NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_UNSENDABLE = frozenset("\r\n\0")
_PASSAGE = "falgate_passage"


class AuthoritiesWrong(Exception):
    """A variable names no certificates; the message is one line and says what to do."""


class Passage:
    """Whether a byte of a request may have left: in doubt it has; of one never built it has not.

    Attributes:
        begun: See above.
    """

    def __init__(self) -> None:
        self.begun = False

    def hand_over(self, request: httpx.Request) -> None:
        """The request is given to a transport: from here on it may leave."""
        self.begun = True
        request.extensions[_PASSAGE] = self


_passage: ContextVar[Passage] = ContextVar("passage")


def client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client that keeps no cookies and bounds only what nobody else does."""
    # A connection that is not made in time provably carried nothing; all else is bounded in whole.
    timeout = httpx.Timeout(None, connect=_CONNECT_S, pool=_CONNECT_S)
    agent = {"User-Agent": f"falgate/{__version__}"}
    # Nobody is signed in here: a jar would only grow, and carry one job's cookies to the next.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=transport, timeout=timeout, headers=agent, cookies=cookies)


def authorities() -> ssl.SSLContext:
    """Whom certificates are believed from: those that the environment names, or the usual ones.

    Raises:
        AuthoritiesWrong: What it names cannot be read.
    """
    return _authorities(tuple(os.environ.get(name, "") for name in _NAMED))


@lru_cache(1)
def _authorities(places: tuple[str, ...]) -> ssl.SSLContext:
    # Reading some hundred certificates takes longer than anything else at a start: once will do.
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        named = _NAMED[0] if places[0] else _NAMED[1]
        raise AuthoritiesWrong(
            f"{named}={os.environ.get(named)}: no certificates can be read there "
            f"({error.strerror or error}); unset it, or name a PEM file that is there"
        ) from None


def sockets(
    believed: ssl.SSLContext, url: str, *, connections_max: int = 0, fresh: bool = False
) -> AiohttpTransport:
    """Connections to the host of a URL, of which `fresh` ones are used once.

    Raises:
        ProxyWrong: The environment names something for that host that cannot be a proxy.
    """
    proxy = proxy_of(url)

    # httpx's own pool walks all its connections for each event; aiohttp's does not.
    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections_max, force_close=fresh, ssl=believed)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=jar, proxy=proxy, trace_configs=[_watch()]
        )

    return _Sockets(verify=believed, client=session)


class _Sockets(AiohttpTransport):
    """Sockets that know when a request begins to leave.

    Of any other transport a request counts as sent as soon as it is handed over.

    Which error was raised does not tell: the same classes are raised before and after, and
    httpx-aiohttp maps some of both to one of httpx's. The place where it was raised does. aiohttp
    looks up the host, connects, asks a proxy for its tunnel and shakes hands before it calls
    `on_request_headers_sent`, and only then puts the first byte of the request into the socket.
    docs/upstream-errors.md has the cases.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        passage: Passage = request.extensions.get(_PASSAGE) or Passage()
        passage.begun = False
        _passage.set(passage)
        return await super().handle_async_request(request)


def _watch() -> aiohttp.TraceConfig:
    """What notes that a request begins to leave, in the task that sends it."""

    async def about_to_leave(
        _: aiohttp.ClientSession, __: object, sent: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        # aiohttp looks at these after this call, and would refuse them with nothing sent.
        if any(_UNSENDABLE & set(value) for value in sent.headers.values()):
            raise ValueError("a header has characters that cannot be sent")
        _passage.get().begun = True

    watch = aiohttp.TraceConfig()
    watch.on_request_headers_sent.append(about_to_leave)
    return watch

"""Connections to fal: TLS authorities, proxies, and proof that a request has not left."""

import os
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from falgate import __version__
from falgate.fal.proxies import proxy_of

_CONNECT_S = 10.0
_NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_UNSENDABLE = frozenset("\r\n\0")
_PASSAGE = "falgate_passage"
_USUAL = {"Accept": "*/*", "User-Agent": f"falgate/{__version__}"}


class AuthoritiesWrong(Exception):
    """A variable names no readable certificates; the message is one line and says what to do."""


class Passage:
    """Whether a byte of a request may have left; if that cannot be known, it counts as left.

    Attributes:
        begun: False until the request may have left; stays False for one that was never built.
    """

    def __init__(self) -> None:
        self.begun = False

    def hand_over(self, request: httpx.Request) -> None:
        """Mark the request as handed to a transport: from now on it counts as possibly sent."""
        self.begun = True
        request.extensions[_PASSAGE] = self


_passage: ContextVar[Passage] = ContextVar("passage")


class Sender:
    """Sends requests by one transport.

    It is what falgate uses of an httpx client. That client merges URLs, keeps cookies, signs in,
    follows redirects and finds proxies, none of which is wanted here, and takes longer for it than
    aiohttp for the whole request.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        silence_s: float | None = None,
    ) -> httpx.Request:
        """Build a request.

        Args:
            method: Such as "POST".
            url: The target.
            headers: In addition to the usual ones.
            content: The body.
            silence_s: Longest time without a byte, in seconds; None means any time.

        Raises:
            httpx.InvalidURL: The URL is invalid.
        """
        # A connection that was not made in time provably carried nothing.
        patience = {"connect": _CONNECT_S, "pool": _CONNECT_S, "read": silence_s, "write": None}
        named = {**_USUAL, **headers}
        return httpx.Request(
            method, url, headers=named, content=content, extensions={"timeout": patience}
        )

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the response has to be closed."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


def authorities() -> ssl.SSLContext:
    """Return the trusted TLS authorities: those named by the environment, or the default ones.

    Raises:
        AuthoritiesWrong: The named file or directory cannot be read.
    """
    return _authorities(tuple(os.environ.get(name, "") for name in _NAMED))


@lru_cache(1)
def _authorities(places: tuple[str, ...]) -> ssl.SSLContext:
    # Loading over a hundred certificates is the slowest part of a start, so it is cached.
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
    """Create the transport to a URL's host; with `fresh`, each connection is used only once.

    Raises:
        ProxyWrong: The environment names an invalid proxy for that host.
    """
    proxy = proxy_of(url)

    # httpx's own pool scans all its connections for each event; aiohttp's does not.
    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections_max, force_close=fresh, ssl=believed)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=jar, proxy=proxy, trace_configs=[_watch()]
        )

    return _Sockets(verify=believed, client=session)


class _Sockets(AiohttpTransport):
    """A transport that records when a request begins to leave.

    With any other transport, a request counts as sent once it is handed over.

    The exception does not tell whether a byte left: the same classes are raised before and after,
    and httpx-aiohttp maps some of both to one class of httpx's. The place where it was raised does
    tell. aiohttp looks up the host, connects, asks a proxy for its tunnel and completes the TLS
    handshake; then it calls `on_request_headers_sent`, and only after that writes the first byte of
    the request to the socket. docs/upstream-errors.md lists the cases.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        passage: Passage = request.extensions.get(_PASSAGE) or Passage()
        passage.begun = False
        _passage.set(passage)
        return await super().handle_async_request(request)


def _watch() -> aiohttp.TraceConfig:
    """Create the trace that records when a request begins to leave, in the task that sends it."""

    async def about_to_leave(
        _: aiohttp.ClientSession, __: object, sent: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        # aiohttp checks these after this call, and would refuse them although nothing was sent.
        if any(_UNSENDABLE & set(value) for value in sent.headers.values()):
            raise ValueError("a header has characters that cannot be sent")
        _passage.get().begun = True

    watch = aiohttp.TraceConfig()
    watch.on_request_headers_sent.append(about_to_leave)
    return watch

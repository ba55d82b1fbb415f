"""Connections to fal: TLS authorities, proxies, and proof that a request has not left."""

import os
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple, Protocol

import aiohttp
import httpx
from yarl import URL

from falgate import __version__
from falgate.fal.proxies import proxy_of

_CONNECT_S = 10.0
_NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_SENDABLE = re.compile(r"[\t -~]*")
"""What a header may have: printable ASCII. aiohttp checks less, and only when a request leaves."""

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


class Request(NamedTuple):
    """A request to send.

    Attributes:
        method: Such as "POST".
        url: The target, an absolute URL whose characters are escaped as they have to be.
        headers: In addition to the usual ones.
        content: The body.
        silence_s: Longest time without a byte of the answer, in seconds; None means any time.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None
    silence_s: float | None = None


class Answer(NamedTuple):
    """An answer whose head has arrived.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        pieces: Yields its body.
    """

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class Sender(Protocol):
    """Sends requests, without cookies, sign-in and redirects."""

    def send(self, request: Request, passage: Passage) -> AbstractAsyncContextManager[Answer]:
        """Send a request, and yield its answer while it is read."""

    async def aclose(self) -> None:
        """Close all connections."""


_passage: ContextVar[Passage] = ContextVar("passage")


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


class Sockets:
    """Sends requests to one host.

    It records when a request begins to leave. The exception does not tell whether a byte left: the
    same classes are raised before and after. The place where it was raised does tell. aiohttp looks
    up the host, connects, asks a proxy for its tunnel and completes the TLS handshake; then it
    calls `on_request_headers_sent`, and only after that writes the first byte of the request to the
    socket. docs/upstream-errors.md lists the cases.
    """

    def __init__(
        self, believed: ssl.SSLContext, url: str, *, connections_max: int = 0, fresh: bool = False
    ) -> None:
        """Connect to a URL's host; with `fresh`, each connection is used only once.

        Raises:
            ProxyWrong: The environment names an invalid proxy for that host.
        """
        self._believed = believed
        self._proxy = proxy_of(url)
        self._connections_max = connections_max
        self._fresh = fresh
        self._opened: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(self, request: Request, passage: Passage) -> AsyncIterator[Answer]:
        """Send a request."""
        if not all(map(_SENDABLE.fullmatch, request.headers.values())):
            raise ValueError("a header has characters that cannot be sent")
        _passage.set(passage)
        async with self._session().request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.content or None,
            allow_redirects=False,
            # A connection that was not made in time provably carried nothing.
            timeout=aiohttp.ClientTimeout(
                connect=_CONNECT_S, sock_connect=_CONNECT_S, sock_read=request.silence_s
            ),
        ) as response:
            named: dict[str, str] = {}
            for name, value in response.headers.items():
                lower = name.lower()
                named[lower] = f"{named[lower]}, {value}" if lower in named else value
            yield Answer(response.status, named, response.content.iter_any())

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            connector = aiohttp.TCPConnector(
                limit=self._connections_max, force_close=self._fresh, ssl=self._believed
            )
            self._opened = aiohttp.ClientSession(
                connector=connector,
                headers=_USUAL,
                # There is no login: a jar would only grow, and carry one job's cookies to the next.
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
                proxy=self._proxy,
                trace_configs=[_watch()],
            )
        return self._opened


class InProcess:
    """Sends requests by a transport of httpx: to the sandbox in this process."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        """Send by `transport`; a request counts as sent once it is handed over."""
        self._transport = transport

    @asynccontextmanager
    async def send(self, request: Request, passage: Passage) -> AsyncIterator[Answer]:
        """Send a request."""
        built = httpx.Request(
            request.method,
            request.url,
            headers={**_USUAL, **request.headers},
            content=request.content,
        )
        passage.begun = True
        response = await self._transport.handle_async_request(built)
        response.request = built
        try:
            yield Answer(response.status_code, dict(response.headers), response.aiter_raw())
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _watch() -> aiohttp.TraceConfig:
    """Create the trace that records when a request begins to leave, in the task that sends it."""

    async def about_to_leave(
        _: aiohttp.ClientSession, __: object, ___: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        _passage.get().begun = True

    watch = aiohttp.TraceConfig()
    watch.on_request_headers_sent.append(about_to_leave)
    return watch

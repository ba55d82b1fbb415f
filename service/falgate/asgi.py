"""The server: uvicorn with an http and an https listener, and a stop that loses nothing."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from falgate.api.connection import impatient
from falgate.api.forwarded import ForwardedHeaders
from falgate.settings import PREFIX, Address, Settings, SettingsWrong, address, names
from falgate.wiring import Gateway

_BACKLOG = 2_048


class PortTaken(Exception):
    """A listener cannot be opened; the message is one line and says what to do."""


class Listener(uvicorn.Server):
    """One of the listeners; the process itself takes the signals, for all of them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def bind(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """Open the http and the https listeners' sockets, before anything else is started.

    Raises:
        PortTaken: One of the ports cannot be had.
        SettingsWrong: There is no certificate for https.
    """
    if settings.tls_listen:
        _check_certificate(settings)
    http = _bind(address(settings.listen, "LISTEN"), "FALGATE_LISTEN")
    if not settings.tls_listen:
        return http, []
    return http, _bind(address(settings.tls_listen, "TLS_LISTEN"), "FALGATE_TLS_LISTEN")


async def serve(
    settings: Settings,
    gateway: Gateway,
    sockets: tuple[list[socket.socket], list[socket.socket]],
    ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Then nothing new is accepted, what is under way may finish within `drain_s`, and who still
    waits for pictures after that is told to ask again. A second signal ends it at once.

    Args:
        settings: Time-outs and certificate.
        gateway: What to serve.
        sockets: From `bind`.
        ready: Called once requests are taken.
    """
    http, https = sockets
    listeners = [(Listener(_config(settings, gateway.app)), http)]
    if https:
        secure = _config(
            settings, gateway.app, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key
        )
        listeners.append((Listener(secure), https))
    stopping = asyncio.Event()

    def stop() -> None:
        for listener, _ in listeners:
            listener.force_exit = stopping.is_set()
            listener.should_exit = True
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as tasks:
        served = [tasks.create_task(each.serve(sockets=opened)) for each, opened in listeners]
        for listener, _ in listeners:
            await listener.up.wait()
        ready()
        await stopping.wait()
        await asyncio.wait(served, timeout=settings.drain_s)
        gateway.flights.close()


def _config(settings: Settings, app: ASGIApp, **tls: str) -> uvicorn.Config:
    return uvicorn.Config(
        _behind_proxies(app, names(settings.trusted_proxies)),
        http=impatient(settings.header_timeout_s, settings.body_timeout_s),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Before the peer's address gives way to the caller's, it decides about the other headers.
        proxy_headers=False,
        **tls,  # type: ignore[arg-type]  # certificate and key, both by path
    )


def _behind_proxies(app: ASGIApp, trusted: Sequence[str]) -> ASGIApp:
    """The application, told who its callers are and how they addressed it."""
    if not trusted:
        return app
    called: Any = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type]  # one ASGI
    return ForwardedHeaders(called, trusted)


def _check_certificate(settings: Settings) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A key under a password would have OpenSSL ask for it, on a terminal that nobody watches.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:  # ssl's errors are OSErrors
        reason = error.strerror if isinstance(error, OSError) else None
        raise SettingsWrong(
            f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY are not the PEM files of a certificate and its "
            f"key ({reason or error})"
        ) from None


def _bind(where: Address, name: str) -> list[socket.socket]:
    """Sockets for every address of a host: localhost is 127.0.0.1 and, where there is IPv6, ::1."""
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
        for family, kind, _, _, at in dict.fromkeys(found):
            opened.append(_open(family, kind, at))
    except OSError as error:
        for each in opened:
            each.close()
        reason = error.strerror or str(error)
        raise PortTaken(
            f"{where.host}:{where.port} cannot be listened on ({reason}): stop what uses it, "
            f"or set {name} to another host:port"
        ) from None
    return opened


def _open(family: socket.AddressFamily, kind: socket.SocketKind, at: Any) -> socket.socket:
    opened = socket.socket(family, kind)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(at)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened

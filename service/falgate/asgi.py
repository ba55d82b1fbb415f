"""The server: uvicorn with an http and an https listener, and a stop that loses nothing."""

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from falgate.api.certificate import Certificate
from falgate.api.connection import impatient
from falgate.api.forwarded import ForwardedHeaders
from falgate.settings import PREFIX, Address, Settings, SettingsWrong, address, names
from falgate.wiring import Gateway

_LOG = structlog.get_logger()
_BACKLOG = 2_048
_STDIN = 0


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


def bind(
    settings: Settings,
) -> tuple[list[socket.socket], list[socket.socket], list[socket.socket]]:
    """Open the http, https and operators' listeners' sockets, before anything else is started.

    Raises:
        PortTaken: One of the ports cannot be had.
        SettingsWrong: There is no certificate for https.
    """
    if settings.tls_listen:
        _certificate(settings)
    http = _bind(address(settings.listen, "LISTEN"), "FALGATE_LISTEN")
    https: list[socket.socket] = []
    ops: list[socket.socket] = []
    if settings.tls_listen:
        https = _bind(address(settings.tls_listen, "TLS_LISTEN"), "FALGATE_TLS_LISTEN")
    if settings.ops_listen:
        ops = _bind(address(settings.ops_listen, "OPS_LISTEN"), "FALGATE_OPS_LISTEN")
    return http, https, ops


async def serve(
    settings: Settings,
    gateway: Gateway,
    sockets: tuple[list[socket.socket], list[socket.socket], list[socket.socket]],
    ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM, or until the terminal is closed that it was typed on.

    SIGHUP from anywhere else reads the certificate anew.

    Then nothing new is accepted, what is under way may finish within `drain_s`, and who still
    waits for pictures after that is told to ask again. A second signal ends it at once.

    Args:
        settings: Time-outs and certificate.
        gateway: What to serve.
        sockets: From `bind`.
        ready: Called once requests are taken.
    """
    http, https, ops = sockets
    certificate = _certificate(settings) if https else None
    listeners = [(Listener(_config(settings, gateway.app)), http)]
    if certificate:
        listeners.append((Listener(_config(settings, gateway.app, certificate.context)), https))
    if gateway.ops_app is not None:
        listeners.append((Listener(_config(settings, gateway.ops_app)), ops))
    stopping = asyncio.Event()

    def stop() -> None:
        for listener, _ in listeners:
            listener.force_exit = stopping.is_set()
            listener.should_exit = True
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    typed = os.isatty(_STDIN)
    loop.add_signal_handler(
        # A terminal that is gone is none any more.
        signal.SIGHUP,
        lambda: stop() if typed and not os.isatty(_STDIN) else _reload(certificate),
    )
    async with asyncio.TaskGroup() as tasks:
        served = [tasks.create_task(each.serve(sockets=opened)) for each, opened in listeners]
        for listener, _ in listeners:
            await listener.up.wait()
        ready()
        await stopping.wait()
        await asyncio.wait(served, timeout=settings.drain_s)
        gateway.let_go()


def _config(settings: Settings, app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
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
        ssl_context_factory=(lambda *_: tls) if tls else None,
    )


def _behind_proxies(app: ASGIApp, trusted: Sequence[str]) -> ASGIApp:
    """The application, told who its callers are and how they addressed it."""
    if not trusted:
        return app
    called: Any = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type]  # one ASGI
    return ForwardedHeaders(called, trusted)


def _certificate(settings: Settings) -> Certificate:
    try:
        return Certificate(Path(settings.tls_cert), Path(settings.tls_key))
    except (OSError, ValueError) as error:
        raise SettingsWrong(
            f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY are not the PEM files of a certificate and its "
            f"key ({_reason(error)})"
        ) from None


def _reload(certificate: Certificate | None) -> None:
    """Show new connections what the files hold now, unless that is no pair."""
    if certificate is None:
        _LOG.info("tls.none")
        return
    try:
        certificate.reload()
    except (OSError, ValueError) as error:
        _LOG.error("tls.kept", problem=_reason(error))
    else:
        _LOG.info("tls.reloaded")


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


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

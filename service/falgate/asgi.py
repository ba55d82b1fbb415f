"""The listeners: http and https in one process, and a stop that loses nothing and ends."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from falgate.api.certificate import Certificate
from falgate.api.forwarded import ForwardedHeaders
from falgate.http.server import Connections, Limits, Listener, room_for_connections
from falgate.settings import PREFIX, Address, Settings, SettingsWrong, address, names
from falgate.stopping import Stop
from falgate.wiring import Gateway

_LOG = structlog.get_logger()
_BACKLOG = 2_048
_STDIN = 0
_ANY_IPV6 = "::"
_LAST_S = 1.0
"""What callers who were told to ask again have to hear it, and cancelled requests to end."""


class PortTaken(Exception):
    """A listener cannot be opened; the message is one line and says what to do."""


def bind(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """Open the http and the https listeners' sockets, before anything else is started.

    Raises:
        PortTaken: One of the ports cannot be had.
        SettingsWrong: There is no certificate for https.
    """
    if settings.tls_listen:
        _certificate(settings)
    http = _bind(address(settings.listen, "LISTEN"), "FALGATE_LISTEN")
    if not settings.tls_listen:
        return http, []
    return http, _bind(address(settings.tls_listen, "TLS_LISTEN"), "FALGATE_TLS_LISTEN")


async def serve(
    settings: Settings,
    gateway: Gateway,
    sockets: tuple[list[socket.socket], list[socket.socket]],
    stop: Stop,
    ready: Callable[[], None],
) -> None:
    """Serve until a stop is asked for, or until the terminal is closed that it was typed on.

    SIGHUP from anywhere else reads the certificate anew.

    Args:
        settings: Time-outs and certificate.
        gateway: What to serve.
        sockets: From `bind`.
        stop: What ends it.
        ready: Called once requests are taken.
    """
    http, https = sockets
    certificate = _certificate(settings) if https else None
    trusted = names(settings.trusted_proxies)
    connections = Connections(
        _behind_proxies(gateway.app, trusted),
        _limits(settings),
        refused=gateway.refused,
        unlimited=trusted,
    )
    listeners = [Listener(connections, each) for each in http]
    if certificate:
        listeners += [Listener(connections, each, certificate.context) for each in https]
    typed = os.isatty(_STDIN)
    asyncio.get_running_loop().add_signal_handler(
        # A terminal that is gone is none any more.
        signal.SIGHUP,
        lambda: stop.ask() if typed and not os.isatty(_STDIN) else _reload(certificate),
    )
    ready()
    await stop.asked.wait()
    await _end(settings, gateway, connections, listeners, stop)
    connections.close()


async def _end(
    settings: Settings,
    gateway: Gateway,
    connections: Connections,
    listeners: Sequence[Listener],
    stop: Stop,
) -> None:
    """Everything that happens at SIGTERM, in order; a second signal skips all waiting.

    1. `/readyz` fails, and each answer is its connection's last one, so that balancers and
       clients go elsewhere; connections are still accepted, since a balancer takes a while to see
       it. After Ctrl-C there is none to wait for.
    2. The listeners are closed behind what has connected already.
    3. What is under way may finish within `drain_s`; idle connections are closed.
    4. Who still waits for pictures is told to ask again; the jobs are handed over when the gateway
       is closed, right after this.
    5. What is left does not read its answer: it is cut.
    """
    gateway.leave()
    connections.stopping = True
    if not stop.from_terminal:
        await stop.wait(settings.drain_accept_s)
    for each in listeners:
        each.close()
    draining = asyncio.create_task(connections.drain())
    await asyncio.wait([draining, hurried := asyncio.create_task(stop.hurried.wait())],
                       timeout=settings.drain_s, return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    gateway.let_go()
    await asyncio.wait([draining], timeout=0 if stop.hurried.is_set() else _LAST_S)
    for task in (draining, hurried):
        task.cancel()
    await connections.abort(_LAST_S)


def _limits(settings: Settings) -> Limits:
    connections = room_for_connections(settings.connections_max)
    if connections < settings.connections_max:
        _LOG.warning(
            "connections.limited",
            connections=connections,
            why=f"{PREFIX}CONNECTIONS_MAX is {settings.connections_max}, and three quarters of "
            "the file descriptors are for them: raise the limit (ulimit -n) or lower the setting",
        )
    return Limits(
        head_timeout_s=settings.header_timeout_s,
        # The application has its own, shorter deadline for a body, and better words.
        body_timeout_s=settings.body_timeout_s * 1.5,
        idle_timeout_s=settings.idle_timeout_s,
        write_timeout_s=settings.write_timeout_s,
        connections_max=connections,
        connections_per_address_max=settings.connections_per_address_max
        or max(1, connections // 2),
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
            # Every address means both kinds, as with other servers.
            only_6 = at[0] != _ANY_IPV6
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_6)
        opened.bind(at)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened

"""The listeners: serve HTTP and HTTPS in one process, and stop without losing anything."""

import asyncio
import itertools
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from falgate.app import Gateway
from falgate.http.certificate import Certificate
from falgate.http.forwarded import ForwardedHeaders, TrustedProxies
from falgate.http.server import (
    HANDSHAKE_S,
    Connections,
    Limits,
    Listener,
    Shortcut,
    room_for_connections,
)
from falgate.settings import PREFIX, Settings, SettingsWrong, address
from falgate.stopping import Stop

_LOG = structlog.get_logger()
_BACKLOG = 2_048
_STDIN = 0
_ANY_IPV6 = "::"
_LAST_S = 1.0
"""How long callers that were told to try again have to read that, in seconds."""


class PortTaken(Exception):
    """A listener cannot be opened; the message is one line and says what to do."""


class Sockets(NamedTuple):
    """The listening sockets.

    Attributes:
        http: For apps.
        https: For apps; empty without HTTPS.
        ops: For operators; empty if the others serve them too.
    """

    http: list[socket.socket]
    https: list[socket.socket]
    ops: list[socket.socket]

    @property
    def all(self) -> list[socket.socket]:
        """All of them."""
        return [*self.http, *self.https, *self.ops]


def bind(settings: Settings) -> list[Sockets]:
    """Open the sockets of each worker's listeners, before anything else is started.

    Raises:
        PortTaken: One of the ports cannot be opened.
        SettingsWrong: There is no certificate for HTTPS.
    """
    if settings.tls_listen:
        _certificate(settings)
    opened = (
        _bind(settings.listen, "LISTEN", settings.workers),
        _bind(settings.tls_listen, "TLS_LISTEN", settings.workers),
        _bind(settings.ops_listen, "OPS_LISTEN", settings.workers),
    )
    return [Sockets(*each) for each in zip(*opened, strict=True)]


async def serve(
    settings: Settings,
    gateway: Gateway,
    sockets: Sockets,
    stop: Stop,
    ready: Callable[[], None],
) -> None:
    """Serve until a stop is requested, or until the terminal that it was started from is closed.

    Any other SIGHUP reloads the certificate.

    Args:
        settings: Time-outs and certificate.
        gateway: What to serve.
        sockets: From `bind`.
        stop: Ends it.
        ready: Called once requests are accepted.
    """
    certificate = _certificate(settings) if sockets.https else None
    proxies = gateway.proxies
    limits = _limits(settings)

    def connections(app: ASGIApp, shortcut: Shortcut | None = None) -> Connections:
        called = _behind_proxies(app, proxies)
        return Connections(
            called, limits, refused=gateway.refused, unlimited=proxies.names, shortcut=shortcut
        )

    apps = connections(gateway.app, gateway.shortcut)
    listeners = [Listener(apps, each) for each in sockets.http]
    if certificate:
        listeners += [Listener(apps, each, certificate.context) for each in sockets.https]
    served = [apps]
    if gateway.ops_app is not None:
        # Its connections are counted separately, so that operators can always connect.
        served.append(connections(gateway.ops_app))
        listeners += [Listener(served[-1], each) for each in sockets.ops]
    typed = os.isatty(_STDIN)
    stop.on_hang_up(
        # When its terminal is closed, standard input is no longer a terminal.
        lambda: stop.ask() if typed and not os.isatty(_STDIN) else _reload(certificate)
    )
    ready()
    await stop.asked.wait()
    await _end(settings, gateway, served, listeners, stop)


async def _end(
    settings: Settings,
    gateway: Gateway,
    served: Sequence[Connections],
    listeners: Sequence[Listener],
    stop: Stop,
) -> None:
    """Stop, in the order of the steps below; a second signal skips all waiting.

    1. `/readyz` fails, and each answer closes its connection, so that load balancers and clients go
    elsewhere. Connections are still accepted, since a balancer takes a while to notice. After
    Ctrl-C there is no balancer to wait for.

    2. New connections are ignored, those that clients have begun are accepted, and then the
    listeners are closed: nobody connects and is reset.

    3. Requests under way may finish within `drain_s`; idle connections are closed.

    4. Callers that still wait for pictures are told to try again. Their jobs are handed over when
    the gateway is closed, right after this.

    5. Connections whose clients do not read their answers are aborted.
    """
    gateway.leave()
    for each in served:
        each.stopping = True
    if not stop.from_terminal:
        await stop.wait(settings.drain_accept_s)
    for listener in listeners:
        listener.ignore_new()
    await stop.wait(HANDSHAKE_S)
    for listener in listeners:
        listener.close()
    drained = asyncio.create_task(_drain(served))
    await stop.wait(settings.drain_s, drained)
    gateway.let_go()
    await stop.wait(_LAST_S, drained)
    drained.cancel()
    for each in served:
        await each.abort(_LAST_S)
        each.close()


async def _drain(served: Sequence[Connections]) -> None:
    await asyncio.gather(*(each.drain() for each in served))


def _limits(settings: Settings) -> Limits:
    """Return this process's share of the limits."""
    wanted = max(1, settings.connections_max // settings.workers)
    connections = room_for_connections(wanted)
    if connections < wanted:
        _LOG.warning(
            "connections.limited",
            connections=connections,
            why=f"{PREFIX}CONNECTIONS_MAX allows {wanted}, but only three quarters of the file "
            "descriptors are for connections: raise the limit (ulimit -n) or lower the setting",
        )
    per_address = settings.connections_per_address_max // settings.workers
    if not settings.connections_per_address_max:
        per_address = connections // 2
    return Limits(
        head_timeout_s=settings.header_timeout_s,
        # The application has its own, shorter deadline for a body, and a better error message.
        body_timeout_s=settings.body_timeout_s * 1.5,
        idle_timeout_s=settings.idle_timeout_s,
        write_timeout_s=settings.write_timeout_s,
        connections_max=connections,
        connections_per_address_max=max(1, per_address),
    )


def _behind_proxies(app: ASGIApp, proxies: TrustedProxies) -> ASGIApp:
    """Wrap the application so that it sees the callers' addresses and URLs behind proxies."""
    if not proxies:
        return app
    trusted = list(proxies.names)
    called: Any = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]  # one ASGI
    return ForwardedHeaders(called, proxies)


def _certificate(settings: Settings) -> Certificate:
    try:
        return Certificate(Path(settings.tls_cert), Path(settings.tls_key))
    except (OSError, ValueError) as error:
        raise SettingsWrong(
            f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY must be the PEM files of a certificate and its "
            f"key ({_reason(error)})"
        ) from None


def _reload(certificate: Certificate | None) -> None:
    """Use the files' present contents for new connections, unless they are no valid pair."""
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


def _bind(text: str, name: str, workers: int) -> list[list[socket.socket]]:
    """Open sockets for all addresses of a host, for each worker.

    localhost is 127.0.0.1 and, with IPv6, ::1.
    """
    opened: list[list[socket.socket]] = [[] for _ in range(workers)]
    if not text:
        return opened
    where = address(text, name)
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
        for family, kind, _, _, at in dict.fromkeys(found):
            for number, sockets in enumerate(opened):
                sockets.append(_open(family, kind, at, joins=number > 0, joined=workers > 1))
    except OSError as error:
        for each in itertools.chain(*opened):
            each.close()
        reason = error.strerror or str(error)
        raise PortTaken(
            f"Cannot listen on {text} ({reason}): stop what uses it, "
            f"or set {PREFIX}{name} to another host:port"
        ) from None
    return opened


def _open(
    family: socket.AddressFamily, kind: socket.SocketKind, at: Any, *, joins: bool, joined: bool
) -> socket.socket:
    """Open one socket; it may share its address with one that is there, or with later ones."""
    opened = socket.socket(family, kind)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # The address of all interfaces includes IPv4, as with other servers.
            only_6 = at[0] != _ANY_IPV6
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_6)
        if joins:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(at)
        if joined:
            # Not before the first one is bound: another falgate's port would not be refused.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened

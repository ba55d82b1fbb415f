"""The server: uvicorn with an http and an https listener, and a stop that loses nothing."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from falgate.settings import Address, Settings, address
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
    """
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
        app,
        http=_impatient(settings.header_timeout_s),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **tls,  # type: ignore[arg-type]  # certificate and key, both by path
    )


def _impatient(header_timeout_s: float) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, but a client that does not finish a request's head is cut off.

    uvicorn itself only ends connections that idle between two requests.
    """

    class Impatient(HttpToolsProtocol):
        """One connection."""

        head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_head()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._await_head()

        def on_headers_complete(self) -> None:
            self._stop_waiting()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            if self.head_timer is None:
                self.head_timer = self.loop.call_later(header_timeout_s, self.transport.abort)

        def _stop_waiting(self) -> None:
            if self.head_timer is not None:
                self.head_timer.cancel()
                self.head_timer = None

    return Impatient


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

"""A listening socket that accepts as many connections as there is room for."""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress

from falgate.http.server import handshakes
from falgate.http.server.connection import Connection
from falgate.http.server.connections import Connections

_LOG = logging.getLogger(__name__)
_AT_ONCE = 64
"""Maximum connections accepted per turn of the event loop."""

_PAUSE_S = 0.5


class Listener:
    """One listening socket, for HTTP or HTTPS.

    It accepts by itself instead of through the loop's `create_server`. So a connection is admitted
    or rejected before its TLS handshake, and `close` can serve what waits in the backlog.
    """

    def __init__(
        self,
        connections: Connections,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Accept on a socket that is already bound and listening."""
        self._connections = connections
        self._sock = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        sock.setblocking(False)
        self._loop.add_reader(sock, self._accept)

    def ignore_new(self) -> None:
        """Let the kernel begin no more handshakes; it completes those that have begun.

        `close` loses no connection if it is called `HANDSHAKE_S` later.
        """
        handshakes.ignore_new(self._sock)

    def close(self) -> None:
        """Accept the connections already in the backlog, then close the socket.

        Closing a listening socket resets the connections in its backlog, whose clients may have
        sent requests already.
        """
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock)
        while self._accept() == _AT_ONCE:
            pass
        self._sock.close()

    def _accept(self) -> int:
        for number in range(_AT_ONCE):
            try:
                accepted, address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return number
            except OSError:
                # Out of descriptors: without a pause, the loop would retry in a busy loop.
                _LOG.exception("A connection cannot be accepted")
                self._loop.remove_reader(self._sock)
                self._loop.call_later(_PAUSE_S, self._resume)
                return number
            self._connect(accepted, str(address[0]))
        return _AT_ONCE

    def _resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock, self._accept)

    def _connect(self, accepted: socket.socket, address: str) -> None:
        if "." in address:  # IPv4 on a dual-stack listener
            address = address.removeprefix("::ffff:")
        connection = Connection(self._connections, address, secure=self._tls is not None)
        if not self._connections.admit(connection):
            accepted.close()
            return

        async def connect() -> None:
            handshake_s = self._connections.limits.head_timeout_s
            with suppress(OSError, TimeoutError):
                await self._loop.connect_accepted_socket(
                    lambda: connection,
                    accepted,
                    ssl=self._tls,
                    ssl_handshake_timeout=handshake_s if self._tls else None,
                )
                return
            self._connections.lost(connection)
            accepted.close()

        accepted.setblocking(False)
        task = self._loop.create_task(connect())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

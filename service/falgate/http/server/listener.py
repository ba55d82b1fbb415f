"""A listening socket: accepts into the room that there is, and ends without losing anybody."""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress

from falgate.http.server.connection import Connection
from falgate.http.server.connections import Connections

_LOG = logging.getLogger(__name__)
_AT_ONCE = 64
"""Connections that are accepted in one turn of the loop."""

_PAUSE_S = 0.5


class Listener:
    """One socket that listens, for http or https."""

    def __init__(
        self,
        connections: Connections,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Begin to accept on a socket that is bound and listens already."""
        self._connections = connections
        self._sock = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        sock.setblocking(False)
        self._loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Accept what has already connected, then no more.

        A listening socket that is closed resets what waits in its backlog: these clients have sent
        requests that nobody would answer.
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
                # No descriptors: the next turn would find the same, as fast as it can.
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
        if "." in address:  # IPv4 over a listener for both
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

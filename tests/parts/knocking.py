"""Clients that open connection after connection, as a balancer does, until they are refused."""

import asyncio
import contextlib

HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Knocking:
    """What became of all connections to a port.

    Attributes:
        answered: Connections whose request was answered.
        lost: Connections that ended without a byte.
        begun: Set when the first of them has ended.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.answered, self.lost, self.begun = 0, 0, asyncio.Event()

    async def until_refused(self) -> None:
        """Connect and ask, again and again."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionError:
                return
            heard = b""
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                writer.write(HEALTHY)
                heard = await reader.readuntil(b"}")
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.answered += heard.startswith(b"HTTP/1.1 200")
            self.lost += not heard
            self.begun.set()

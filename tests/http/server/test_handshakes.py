"""A listener that is about to close begins no connection, and loses none that has begun."""

import asyncio
import socket
from typing import Any

import pytest

HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_who_connects_after_it_is_ignored_and_then_refused(serve: Any) -> None:
    """It is never connected and reset: its request can be sent elsewhere."""
    async with serve() as server:
        server.listener.ignore_new()
        connecting = asyncio.create_task(asyncio.open_connection("127.0.0.1", server.port))
        done, _ = await asyncio.wait([connecting], timeout=0.2)
        assert not done
        server.listener.close()
        with pytest.raises(ConnectionRefusedError):
            await connecting


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "in-the-backlog"])
async def test_who_connected_before_it_is_answered(serve: Any, accepted: bool) -> None:
    async with serve() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.setblocking(False)
            if accepted:
                await asyncio.sleep(0.05)
            server.listener.ignore_new()
            server.listener.close()
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, HEALTHY)
            heard = await loop.sock_recv(client, 65_536)

    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")

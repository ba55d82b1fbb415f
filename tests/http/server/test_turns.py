"""Between two requests: what counts as idle, and what a stop does not wait for."""

import asyncio
import socket
import time
from typing import Any

EARLY = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_request_behind_a_body_that_was_dropped_does_not_make_room(serve: Any) -> None:
    go = asyncio.Event()

    async def app(scope: Any, _: Any, send: Any) -> None:
        if scope["path"] != "/early":
            await go.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async with serve(app, connections_max=1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(EARLY)
        await reader.readuntil(b"ok")
        writer.write(b"abcGET /n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await server.until(lambda: server.connections.requests == 1)
        refused = await server.hear(b"GET /n HTTP/1.1\r\nHost: x\r\n\r\n")
        go.set()
        heard = await reader.read(-1)
        writer.close()

    assert refused.data == b""
    assert heard.endswith(b"ok")


async def test_half_a_head_behind_a_body_that_was_dropped_has_the_time_of_a_head(
    serve: Any,
) -> None:
    async with serve(head_timeout_s=0.2, idle_timeout_s=60) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(EARLY)
        await reader.readuntil(b"early")
        writer.write(b"abcGET /n HTT")
        async with asyncio.timeout(10):
            heard = await reader.read(-1)
        writer.close()

    assert b"HTTP/1.1 408 " in heard


async def test_the_chunks_of_a_request_do_not_count_once_it_is_whole(serve: Any) -> None:
    """Their sizes are more than a head may have, and fewer than a body of that length may."""
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(2):
            writer.write(CHUNKED + 16_000 * b"4\r\nabcd\r\n" + b"0\r\n\r\n")
            assert await reader.readuntil(b" n=64000 host=x t=]")
        writer.write(b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        heard = await reader.read(-1)
        writer.close()

    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"/last" in heard


async def test_a_stop_does_not_wait_long_for_who_connected_just_before(serve: Any) -> None:
    """A silent connection that came out of the backlog has less time than it usually has."""
    head_s = 30.0
    async with serve(head_timeout_s=head_s, linger_s=0.1) as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        server.connections.stopping = True
        server.listener.close()
        began_s = time.monotonic()
        await server.connections.drain()
        took_s = time.monotonic() - began_s
        for each in silent:
            each.close()

    assert took_s < head_s / 2

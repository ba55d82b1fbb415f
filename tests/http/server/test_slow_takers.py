"""Clients that take slowly or not at all: served to the end where they move, at a bounded price."""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any

import pytest

GET = b"GET /n HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_OF_ALL = b"GET /n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
# More than the kernel keeps for both ends of a connection.
LARGE = 24 * 1024 * 1024
MUCH = 1024 * 1024
STEADY = 50


def answering(size: int) -> Any:
    """An application whose every answer has so many bytes."""
    body = bytes(size)

    async def app(_: Any, __: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


@pytest.mark.parametrize("secure", [False, True])
async def test_a_large_last_answer_arrives_however_long_the_client_takes(
    secure: bool, serve: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    shown, trusted = tls if secure else (None, None)
    # The clock for the last answer's arrival is far shorter than what the client takes.
    async with serve(answering(LARGE), tls=shown, linger_s=0.01) as server:
        reader, writer = await asyncio.open_connection("localhost", server.port, ssl=trusted)
        writer.write(LAST_OF_ALL)
        taken = 0
        while piece := await reader.read(1 << 18):
            if taken < MUCH * 2:
                # The server's clock ticks meanwhile, twice a second.
                await asyncio.sleep(0.2)
            taken += len(piece)
        writer.close()

    assert taken > LARGE


@pytest.mark.parametrize("size", [60_000, LARGE])
async def test_answers_that_nobody_takes_are_not_made(size: int, serve: Any) -> None:
    """A client asks on and on, and reads nothing: one answer waits, and no more than a little."""
    async with serve(answering(size)) as server:
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.setblocking(False)
        (connection,) = await _connections(server)

        async def ask() -> None:
            while True:
                await asyncio.get_running_loop().sock_sendall(sock, 500 * GET)

        asking = asyncio.create_task(ask())
        waiting = [0]
        # Until nothing moves: neither side reads any more.
        while len(waiting) < STEADY or len(set(waiting[-STEADY:])) > 1:
            waiting.append(connection._waiting_bytes())
            assert waiting[-1] < 4 * size
            await asyncio.sleep(0.01)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        sock.close()

    assert 0 < max(waiting) < size + 128 * 1024


async def test_answers_that_waited_for_their_client_come_in_order(serve: Any) -> None:
    async with serve(answering(MUCH)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(19 * GET + LAST_OF_ALL)
        await asyncio.sleep(0.1)
        heard = await reader.read(-1)
        writer.close()

    assert heard.count(b"HTTP/1.1 200 OK\r\n") == 20
    assert len(heard) > 20 * MUCH


async def test_an_application_that_gave_up_on_sending_may_send_again(serve: Any) -> None:
    ends: list[str] = []
    given_up = asyncio.Event()

    async def app(_: Any, __: Any, send: Any) -> None:
        piece = {"type": "http.response.body", "body": bytes(MUCH), "more_body": True}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2):
            try:
                async with asyncio.timeout(0.2):
                    while True:
                        await send(piece)
            except (TimeoutError, asyncio.CancelledError) as error:
                ends.append(type(error).__name__)
        given_up.set()

    async with serve(app) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(GET)
            async with asyncio.timeout(10):
                await given_up.wait()

    assert ends == ["TimeoutError", "TimeoutError"]


async def _connections(server: Any) -> Any:
    await server.until(lambda: server.connections._all)
    return server.connections._all


async def test_who_still_sends_its_body_hears_why_it_was_refused(serve: Any) -> None:
    """It sends on, slowly, and much longer than a silent client would have; then it reads."""
    size = 5 * MUCH
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    async with serve(linger_s=0.7) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        for _ in range(20):
            writer.write(bytes(size // 20))
            await writer.drain()
            await asyncio.sleep(0.1)
        heard = await reader.read(-1)
        writer.close()

    assert heard.startswith(b"HTTP/1.1 403 ")
    assert heard.endswith(b"early")


async def test_who_sends_on_for_ever_behind_its_last_answer_is_cut(serve: Any) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (1 << 40)
    async with serve(linger_s=0.7, body_timeout_s=1) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        await server.until(lambda: server.connections.count == 1)
        dripping = asyncio.create_task(_drip(writer))
        await server.until(lambda: server.connections.count == 0)
        dripping.cancel()
        writer.close()

    assert server.connections.addresses == 0


async def _drip(writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        for _ in range(1_000):
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)


async def test_a_client_that_takes_nothing_over_tls_is_cut(
    serve: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """TLS has a buffer of its own, in which a whole answer would seem to have been sent."""
    shown, trusted = tls
    async with serve(answering(LARGE), tls=shown, write_timeout_s=0.3) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            loop = asyncio.get_running_loop()
            wrapped = await loop.run_in_executor(
                None, lambda: trusted.wrap_socket(plain, server_hostname="localhost")
            )
            wrapped.sendall(GET)
            await server.until(lambda: server.connections.requests == 1)
            await server.until(lambda: server.connections.count == 0)
            wrapped.close()

    assert server.connections.addresses == 0


async def test_a_client_that_idles_over_tls_is_let_go_and_not_refused(
    serve: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """It does not say goodbye: its end is waited for, and nothing is counted as refused."""
    shown, trusted = tls
    refused: list[int] = []

    def noted(status: int) -> list[tuple[bytes, bytes]]:
        refused.append(status)
        return []

    async with serve(tls=shown, idle_timeout_s=0.1, linger_s=0.7, write_timeout_s=1) as server:
        server.connections.refused = noted
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            loop = asyncio.get_running_loop()
            wrapped = await loop.run_in_executor(
                None, lambda: trusted.wrap_socket(plain, server_hostname="localhost")
            )
            await loop.run_in_executor(None, wrapped.sendall, GET)
            await server.until(lambda: server.connections.count == 0)
            wrapped.close()

    assert refused == []

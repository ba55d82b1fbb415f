"""Clients that are slow in any way are cut; those that only wait are not."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

HEAD = b"GET /n HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
EARLY = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
SHORT = {
    "head_timeout_s": 0.3,
    "body_timeout_s": 0.3,
    "idle_timeout_s": 0.3,
    "write_timeout_s": 0.3,
    "linger_s": 0.3,
}
STOOD_S = 8.0
PICTURE = bytes(8 * 1024 * 1024)


async def large(scope: Any, receive: Any, send: Any) -> None:
    """Answer with more than any buffer on the way takes."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"%d" % len(PICTURE))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PICTURE})


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """Answer in pieces for as long as somebody takes them."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1_000):
        await send({"type": "http.response.body", "body": PICTURE[:100_000], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def dripping(port: int, opening: bytes, drip: bytes, every_s: float) -> tuple[bytes, bool]:
    """Say something, then a little more again and again; what came, and whether it ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = bytearray()

    async def listen() -> None:
        try:
            while piece := await reader.read(1 << 16):
                heard.extend(piece)
        except ConnectionError:
            pass

    async def say() -> None:
        writer.write(opening)
        while drip:
            await asyncio.sleep(every_s)
            writer.write(drip)

    listening, saying = asyncio.create_task(listen()), asyncio.create_task(say())
    try:
        await asyncio.wait([listening], timeout=STOOD_S)
        return bytes(heard), listening.done()
    finally:
        listening.cancel()
        saying.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("opening", "drip", "status"),
    [
        (b"", b"", b""),
        (b"GET /n HT", b"", b"408"),
        (HEAD, b"A: b\r\n", b"408"),
        (b"GET /", b"x", b"408"),
        (HEAD + b"\r\n", b"", b"200"),
        (HEAD + b"\r\n", b"\r\n", b"200"),
        (HEAD + b"\r\n" + HEAD, b"A: b\r\n", b"200"),
        (POST, b"", b"408"),
        (POST, b"x", b"408"),
        (CHUNKED, b"1\r\nx\r\n", b"408"),
        (CHUNKED + b"0\r\n", b"A: b\r\n", b"408"),
        (EARLY, b"", b"403"),
        (EARLY, b"x", b"403"),
        (HEAD + b"Connection: close\r\n\r\n", b"x", b"200"),
        (b"\x16\x03", b"\x01", b"400"),
    ],
    ids=[
        "silent", "half a line", "a field now and then", "a byte of the target now and then",
        "idle", "blank lines between requests", "second head now and then", "no body",
        "a byte of a body now and then", "a chunk now and then", "a trailer now and then",
        "no body behind its answer", "a byte of it now and then", "sends on after its last",
        "sends on after a refusal",
    ],
)  # fmt: skip
async def test_a_client_that_does_not_come_to_an_end_is_cut(
    opening: bytes, drip: bytes, status: bytes, serve: Any
) -> None:
    async with serve(**SHORT) as server:
        heard, ended = await dripping(server.port, opening, drip, 0.05)

    assert ended
    assert heard[9:12] == status


async def test_a_body_that_comes_steadily_may_take_as_long_as_it_takes(serve: Any) -> None:
    async with serve(**{**SHORT, "body_bytes_min": 1_000}) as server:
        size, piece = 20_000, bytes(1_000)
        head = b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        for _ in range(size // len(piece)):
            writer.write(piece)
            await asyncio.sleep(0.05)
        heard = await reader.read()
        writer.close()

    assert b"n=20000" in heard


async def test_a_request_that_is_worked_on_has_no_deadline(serve: Any) -> None:
    async def thoughtful(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(2)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with serve(thoughtful, **SHORT) as server:
        heard = await server.hear(HEAD + b"Connection: close\r\n\r\n")

    assert heard.statuses == ["204"]


async def _nothing(_: asyncio.StreamReader) -> None:
    await asyncio.sleep(STOOD_S)


async def _drops(reader: asyncio.StreamReader) -> None:
    for _ in range(int(STOOD_S / 0.05)):
        await reader.read(20)
        await asyncio.sleep(0.05)


Reading = Callable[[asyncio.StreamReader], Coroutine[None, None, None]]


@pytest.mark.parametrize("app", [large, endless])
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("read", [_nothing, _drops])
async def test_a_client_that_does_not_read_is_cut(
    app: Any,
    secure: bool,
    read: Reading,
    serve: Any,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    shown, trusted = tls if secure else (None, None)
    async with serve(app, shown, **SHORT) as server:
        reader, writer = await asyncio.open_connection(
            "localhost" if secure else "127.0.0.1", server.port, ssl=trusted, limit=1_000
        )
        writer.write(HEAD + b"\r\n")
        reading = asyncio.create_task(read(reader))
        try:
            await server.until(lambda: server.connections.count == 1)
            await server.until(lambda: server.connections.count == 0)
        finally:
            reading.cancel()
            writer.transport.abort()

        assert server.connections.count == 0


async def test_a_client_that_reads_steadily_gets_it_all(serve: Any) -> None:
    async with serve(large, **SHORT) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1_000)
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        size = 0
        while piece := await reader.read(1 << 18):
            size += len(piece)
            await asyncio.sleep(0.02)
        writer.close()

    assert size > len(PICTURE)


async def test_a_client_that_ends_its_own_side_gets_its_answers(serve: Any) -> None:
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write((b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") * 3)
        writer.write_eof()
        heard = await asyncio.wait_for(reader.read(), STOOD_S)
        writer.close()

    assert heard.count(b"HTTP/1.1 200 OK") == 3

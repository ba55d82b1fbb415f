"""What one client can make the server hold, and how many clients it holds."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

HEAD = b"GET /n HTTP/1.1\r\nHost: x\r\n"
WAITING = b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SENT_BYTES, HELD_BYTES_MAX = 40_000_000, 4_000_000


async def waiting(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing, and look at nothing."""
    await asyncio.sleep(60)


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """Read to the end, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body"})


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("app", "opening", "piece"),
    [
        (waiting, WAITING, (HEAD + b"\r\n") * 2_000),
        (waiting, WAITING, b"\r\n" * 30_000),
        (waiting, WAITING + HEAD, b"A: " + b"b" * 50_000 + b"\r\n"),
        (waiting, CHUNKED, b"ffff\r\n" + bytes(0xFFFF) + b"\r\n"),
        (reading, CHUNKED + b"0\r\n", b"A: " + b"b" * 50_000 + b"\r\n"),
        (reading, CHUNKED, b"1;" + b"e" * 50_000 + b"\r\na\r\n"),
        (reading, HEAD, b"A: " + b"b" * 50_000 + b"\r\n"),
        (reading, b"GET /", b"a" * 50_000),
        (reading, HEAD + b"Connection: close\r\n\r\n", bytes(50_000)),
    ],
    ids=[
        "requests behind one under way", "blank lines behind it", "a head behind it",
        "a body that is not read", "trailers", "chunk extensions", "a head", "a target",
        "bytes behind the last request",
    ],
)  # fmt: skip
async def test_what_a_client_sends_without_end_is_not_held(
    app: Any, opening: bytes, piece: bytes, serve: Any
) -> None:
    async with serve(app, linger_s=0.5) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        before = _resident_bytes()
        writer.write(opening)
        sent = 0
        # Where the server does not read, nothing more can be sent; where it cuts, neither.
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2):
                while sent < SENT_BYTES:
                    writer.write(piece)
                    await writer.drain()
                    sent += len(piece)
        grown = _resident_bytes() - before
        writer.transport.abort()

    assert grown < HELD_BYTES_MAX
    assert sent < SENT_BYTES


async def test_a_body_that_is_read_slowly_makes_its_sender_wait_and_comes_whole(serve: Any) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
            await asyncio.sleep(0.001)
        body = b"%d" % size
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async with serve(slow) as server:
        head = (
            b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000000\r\n\r\n"
        )
        heard = await server.hear(head + bytes(9_000_000))

    assert heard.data.endswith(b"9000000")


@asynccontextmanager
async def connected(port: int, number: int) -> AsyncIterator[list[Any]]:
    """So many connections, for as long as a block."""
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(number)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def _ended(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(3):
            return await reader.read() == b""
    return False


async def test_the_oldest_idle_connection_makes_room_for_a_new_one(serve: Any) -> None:
    async with serve(connections_max=5) as server, connected(server.port, 5) as opened:
        heard = await server.hear(HEAD + b"Connection: close\r\n\r\n")
        oldest_ended = await _ended(opened[0][0])
        held = server.connections.count

    assert heard.statuses == ["200"]
    assert oldest_ended
    assert held <= 5


async def test_where_none_is_idle_a_new_connection_is_closed(serve: Any) -> None:
    async with serve(waiting, connections_max=5) as server, connected(server.port, 5) as opened:
        for _, writer in opened:
            writer.write(WAITING)
        await server.until(lambda: server.connections.requests == 5)
        heard = await server.hear(HEAD + b"\r\n")

    assert (heard.data, heard.closed) == (b"", True)


@pytest.mark.parametrize(("unlimited", "held"), [((), 3), (("127.0.0.0/8",), 6)])
async def test_an_address_has_its_share_unless_it_is_a_proxys(
    unlimited: Any, held: int, serve: Any
) -> None:
    limits = {"connections_per_address_max": 3, "unlimited": unlimited}
    async with serve(**limits) as server, connected(server.port, 6) as opened:
        # Those that were opened first made room for those that came later.
        ended = [await _ended(reader) for reader, _ in opened[: 6 - held]]
        await server.until(lambda: server.connections.count == held)

        assert server.connections.count == held
    assert ended == [True] * (6 - held)


async def test_an_idle_connection_of_another_address_does_not_make_room_for_a_greedy_one(
    serve: Any,
) -> None:
    async with serve(connections_per_address_max=2) as server:
        reader, other = await asyncio.open_connection(
            "127.0.0.1", server.port, local_addr=("127.0.0.2", 0)
        )
        async with connected(server.port, 4):
            other.write(HEAD + b"Connection: close\r\n\r\n")
            heard = await asyncio.wait_for(reader.read(), 5)
        other.close()

    assert heard.startswith(b"HTTP/1.1 200 OK")


async def test_nothing_is_left_of_connections_that_are_gone(serve: Any) -> None:
    async with serve() as server:
        for _ in range(3):
            async with connected(server.port, 50) as opened:
                for _, writer in opened:
                    writer.write(HEAD)
        await server.until(lambda: server.connections.count == 0)

        assert server.connections.addresses == 0


def test_descriptors_are_raised_to_the_hard_limit_and_a_part_of_them_is_kept() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (256, 1024));"
                "from falgate.http.server import room_for_connections as room;"
                "print(room(10_000), room(10), r.getrlimit(r.RLIMIT_NOFILE))"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said == "704 10 (1024, 1024)\n"

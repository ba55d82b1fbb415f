"""Many clients, and none of them behaves: nothing of them is left, and others are served."""

import asyncio
import gc
import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from falgate.http.server.connection import Connection
from falgate.http.server.exchange import Exchange

GET = b"GET /n HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
OFFER = b"GET /n HTTP/1.1\r\nHost:\r\nConnection:upgrade\r\nUpgrade:x\r\n\r\n"
# What a client says before it leaves, at every stage of a request.
STAGES = {
    "nothing": b"",
    "half a head": GET[:20],
    "a head": POST,
    "half a body": POST + bytes(100_000),
    "half a chunk": CHUNKED + b"ff\r\nabc",
    "an extension": CHUNKED + b"3;" + 1_000 * b"a",
    "half a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nX: y",
    "a request": GET,
    "a slow one": SLOW,
    "many": 100 * GET,
    "many behind a slow one": SLOW + 100 * GET,
    "offers": 100 * OFFER,
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no protocol": bytes(range(256)),
}
RESET = struct.pack("ii", 1, 0)
IN_ALL, AT_ONCE = 1_400, 100


def _leave(sock: socket.socket) -> None:
    sock.close()


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def _listen(sock: socket.socket) -> None:
    """Send no more, take what is there, and leave."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1 << 16)
    sock.close()


WAYS: dict[str, Callable[[socket.socket], None]] = {
    "leaves": _leave,
    "resets": _reset,
    "listens": _listen,
}


async def _visit(port: int, said: bytes, leave: Callable[[socket.socket], None]) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await loop.sock_sendall(sock, said)
        await asyncio.sleep(0)
        leave(sock)


def _kept() -> int:
    """Connections and exchanges that are in memory, nobody's or not."""
    gc.collect()
    return sum(isinstance(each, Connection | Exchange) for each in gc.get_objects())


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_left_of_clients_that_leave_at_any_stage(seed: int, serve: Any) -> None:
    chance = random.Random(seed)
    before = _kept()  # by tests that ran before this one
    async with serve(linger_s=0.1) as server:
        for _ in range(IN_ALL // AT_ONCE):
            async with asyncio.TaskGroup() as wave:
                for _ in range(AT_ONCE):
                    said, leave = chance.choice([*STAGES.values()]), chance.choice([*WAYS.values()])
                    wave.create_task(_visit(server.port, said, leave))
        heard = await server.hear(GET, last=True)
        connections = server.connections
        await server.until(lambda: not (connections.count or connections.requests))
        left = _kept()

    assert heard.statuses == ["200", "200"]
    assert connections.addresses == 0
    assert left - before < AT_ONCE / 10


@pytest.mark.parametrize("request_", [GET, OFFER], ids=["plain", "offering"])
async def test_a_pipeline_of_ten_thousand_is_answered_in_order(request_: bytes, serve: Any) -> None:
    async with serve() as server:
        heard = await server.hear(10_000 * request_, last=True)

    assert heard.statuses == 10_001 * ["200"]
    assert heard.closed


async def test_tls_meets_what_is_not_tls(serve: Any, tls: Any) -> None:
    shown, trusted = tls
    async with serve(tls=shown) as server:
        for said in STAGES.values():
            for leave in WAYS.values():
                await _visit(server.port, said, leave)
        heard = await server.hear(GET, last=True, tls=trusted)
        await server.until(lambda: not server.connections.count)

    assert heard.statuses == ["200", "200"]
    assert server.connections.addresses == 0


def test_the_standard_loop_serves_the_same(serve: Any, cases: Any, judged: Any) -> None:
    async def every() -> list[str]:
        wrong = []
        async with serve(linger_s=0.5) as server:
            for case in cases:
                heard = await server.hear(case.sent, last=not case.closed)
                wrong.append(judged(case, heard))
        return wrong

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        wrong = runner.run(every())

    assert [each for each in wrong if each] == []
    assert len(wrong) > 180

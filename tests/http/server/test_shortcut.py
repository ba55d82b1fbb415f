"""What a shortcut may answer, and what it must leave to the application."""

import asyncio
import contextlib
import ssl
from typing import Any

import pytest

HIT = b"POST /hit HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /hit HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
FOUND = HIT.replace(b"/hit", b"/found")
SHORT_S = 5.0


async def exchange(server: Any, *sent: bytes, tls: ssl.SSLContext | None = None) -> list[bytes]:
    """Send requests one by one over one connection; return the bodies of the responses."""
    host = "localhost" if tls else "127.0.0.1"
    reader, writer = await asyncio.open_connection(host, server.port, ssl=tls)
    bodies = []
    for each in sent:
        writer.write(each)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\ndate: " in head
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        bodies.append(await reader.readexactly(size))
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return bodies


async def test_the_same_bytes_between_requests_are_not_parsed_again(
    serve: Any, shortcut: Any
) -> None:
    async with serve(shortcut=shortcut) as server:
        assert await exchange(server, *[HIT] * 5) == [b"created"] * 5
        assert await exchange(server, *[HIT] * 2) == [b"created"] * 2

    assert shortcut.answered == {"parsed": 1, "recalled": 6}


async def test_bytes_over_tls_are_told_from_the_same_without(
    serve: Any, shortcut: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    shown, trusted = tls
    async with serve(shortcut=shortcut) as plain, serve(shortcut=shortcut, tls=shown) as secure:
        await exchange(plain, HIT, HIT)
        await exchange(secure, HIT, HIT, tls=trusted)

    assert shortcut.answered == {"parsed": 2, "recalled": 2}


@pytest.mark.parametrize(
    "sent",
    [HIT + HIT, HIT + HIT[:20], b"\r\n" + HIT + HIT],
    ids=["two", "one-and-a-part", "blank-line-before"],
)
async def test_bytes_that_are_not_one_request_are_not_remembered(
    serve: Any, shortcut: Any, sent: bytes
) -> None:
    async with serve(shortcut=shortcut) as server:
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            await reader.readuntil(b"created")
            writer.close()

    assert shortcut.answered["recalled"] == 0


@pytest.mark.parametrize("other", [b"GET /n", b"POST /found"], ids=["application", "looked-for"])
async def test_a_request_behind_an_answered_one_is_answered_each_time(
    serve: Any, shortcut: Any, other: bytes
) -> None:
    """Both come in one read, again and again."""
    both = HIT + HIT.replace(b"POST /hit", other)
    async with serve(shortcut=shortcut) as server:
        for _ in range(3):
            heard = await server.hear(both, last=True)
            assert heard.statuses == ["200"] * 3
            assert heard.data.count(b"created") == 1

    assert shortcut.answered == {"parsed": 3}


async def test_a_body_that_has_the_bytes_of_a_remembered_request_is_a_body(
    serve: Any, shortcut: Any
) -> None:
    around = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIT)
    async with serve(shortcut=shortcut) as server:
        await exchange(server, HIT, HIT)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(around)
        await asyncio.sleep(0.05)
        writer.write(HIT)
        heard = await reader.readuntil(b"]")
        writer.close()

    assert f"n={len(HIT)}".encode() in heard
    assert shortcut.answered == {"parsed": 1, "recalled": 1}


async def test_what_is_not_known_at_once_is_looked_for_and_then_left_to_the_application(
    serve: Any, shortcut: Any
) -> None:
    async with serve(shortcut=shortcut) as server:
        found, asked = await exchange(server, FOUND, FOUND.replace(b"abc", b"ab?"))

    assert found == b"found"
    assert asked.startswith(b"[POST /found n=3")


async def test_a_body_that_is_long_or_slow_is_for_the_application(
    serve: Any, shortcut: Any
) -> None:
    head = b"POST /hit HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    async with serve(shortcut=shortcut) as server:
        long = await exchange(server, head % 101 + 101 * b"a")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head % 3)
        await server.until(lambda: server.connections.requests > 0)
        writer.write(b"abc")
        slow = await asyncio.wait_for(reader.readuntil(b"created"), SHORT_S)
        writer.close()

    assert long == [b"created"]
    assert slow.startswith(b"HTTP/1.1 200 OK")
    assert shortcut.answered == {}


@pytest.mark.parametrize("how", ["half-close", "reset", "wrong-chunk"])
async def test_a_request_that_is_never_complete_is_the_applications(
    serve: Any, shortcut: Any, how: str
) -> None:
    told = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    async with serve(app, shortcut=shortcut) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(CHUNKED + b"2\r\nab\r\n")
        await asyncio.sleep(0.05)
        if how == "half-close":
            writer.write_eof()
        elif how == "reset":
            writer.transport.abort()
        else:
            writer.write(b"x\r\n")
        await asyncio.wait_for(told.wait(), SHORT_S)
        writer.close()

    assert shortcut.answered == {}


async def test_while_it_stops_each_response_ends_its_connection(serve: Any, shortcut: Any) -> None:
    async with serve(shortcut=shortcut) as server:
        await exchange(server, HIT, HIT)
        server.connections.stopping = True
        for each in (HIT, FOUND):
            heard = await server.hear(each)
            assert heard.closed
            assert b"\r\nconnection: close\r\n" in heard.data

    assert shortcut.answered == {"parsed": 1, "recalled": 1}


async def test_a_client_that_does_not_read_gets_no_more_responses(
    serve: Any, shortcut: Any
) -> None:
    async with serve(shortcut=shortcut, write_timeout_s=0.5) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await server.until(lambda: server.connections.count == 1)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(SHORT_S):
                while True:
                    writer.write(HIT * 1000)
                    await writer.drain()
        await server.until(lambda: server.connections.count == 0)
        writer.close()

    assert shortcut.answered["parsed"] < 1_000_000


async def test_a_shortcut_that_fails_leaves_the_request_to_the_application(
    serve: Any, shortcut: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise ValueError

    shortcut.find = fail
    async with serve(shortcut=shortcut) as server:
        (said,) = await exchange(server, FOUND)

    assert said.startswith(b"[POST /found n=3")
    assert "The shortcut failed" in caplog.text


async def test_blank_lines_between_remembered_requests_do_not_add_up(
    serve: Any, shortcut: Any
) -> None:
    async with serve(shortcut=shortcut) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(10):
            for each in (b"\r\n" * 6_000, HIT):
                writer.write(each)
                await writer.drain()
                await asyncio.sleep(0.02)
            assert (await reader.readuntil(b"created")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()

    assert shortcut.answered["recalled"] > 0

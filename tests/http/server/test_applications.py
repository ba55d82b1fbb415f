"""Applications that break ASGI's rules or HTTP's: their callers get a right answer, or none."""

import asyncio
import logging
from typing import Any

import pytest

GET = b"GET /n HTTP/1.1\r\nHost: x\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": []}
LENGTH_3 = {**START, "headers": [(b"content-length", b"3")]}
PIECE = {"type": "http.response.body", "body": b"ab", "more_body": True}
END = {"type": "http.response.body", "body": b"ab"}
FAILED = (["500"], True)


def sending(*messages: Any, error: BaseException | None = None) -> Any:
    """An application that sends just these messages, and then perhaps breaks."""

    async def app(scope: Any, _: Any, send: Any) -> None:
        if scope["path"] == "/last":
            return
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


@pytest.mark.parametrize(
    "app",
    {
        "it raises": sending(error=ValueError()),
        "it is cancelled by something of its own": sending(error=asyncio.CancelledError()),
        "it raises behind a start": sending(START, error=ValueError()),
        "it answers nothing": sending(),
        "it starts and ends": sending(START),
        "it starts twice": sending(START, START),
        "it has no start": sending(END),
        "it sends too little": sending(LENGTH_3, END),
        "it sends too much": sending(LENGTH_3, {**END, "body": b"abcd"}),
        "its length is no number": sending({**START, "headers": [(b"content-length", b"x")]}, END),
        "its header holds a line": sending({**START, "headers": [(b"a", b"b\r\nc: d")]}, END),
        "its header holds a line feed": sending({**START, "headers": [(b"a", b"b\nc: d")]}, END),
        "its header's name holds a line": sending({**START, "headers": [(b"a\r\nb", b"c")]}, END),
        "its header holds a NUL": sending({**START, "headers": [(b"a", b"b\0c")]}, END),
        "it sends something else": sending({"type": "websocket.accept"}),
    }.items(),
    ids=lambda each: each[0],
)
async def test_what_broke_before_its_first_byte_is_a_500(app: tuple[str, Any], serve: Any) -> None:
    async with serve(app[1]) as server:
        heard = await server.hear(GET)

    assert (heard.statuses, heard.closed) == FAILED
    assert heard.data.endswith(b'{"detail":"Internal Server Error"}')
    assert heard.data.count(b"content-length") == 1
    assert b"c: d" not in heard.data


@pytest.mark.parametrize(
    "app",
    {
        "it raises": sending(START, PIECE, error=ValueError()),
        "it is cancelled": sending(START, PIECE, error=asyncio.CancelledError()),
        "it ends": sending(START, PIECE),
        "it sends too little": sending(LENGTH_3, PIECE, {**END, "body": b""}),
        "it sends too much": sending(LENGTH_3, PIECE, END),
    }.items(),
    ids=lambda each: each[0],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_half_an_answer_never_looks_like_a_whole_one(
    version: bytes, app: tuple[str, Any], serve: Any
) -> None:
    async with serve(app[1]) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET.replace(b"1.1", version))
        heard = bytearray()
        reset = False
        try:
            async with asyncio.timeout(10):
                while piece := await reader.read(1 << 16):
                    heard += piece
        except ConnectionResetError:
            reset = True
        writer.close()

    assert b"0\r\n\r\n" not in heard
    # Without chunks and a length, only a reset differs from an end.
    assert reset or b"chunked" in heard or b"content-length: 3" in heard


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_is_sent_without(status: int, serve: Any) -> None:
    async with serve(sending({**START, "status": status}, END), idle_timeout_s=0.1) as server:
        heard = await server.hear(GET + GET, last=False)

    head, _, rest = heard.data.partition(b"\r\n\r\n")
    assert heard.statuses == [str(status)] * 2
    assert rest.startswith(b"HTTP/1.1")
    assert b"chunked" not in head


async def test_head_has_no_body_whatever_is_sent(serve: Any) -> None:
    async with serve(sending(LENGTH_3, {**END, "body": b"abc"}), idle_timeout_s=0.1) as server:
        heard = await server.hear(GET.replace(b"GET", b"HEAD"), GET, last=False)

    first, _, rest = heard.data.partition(b"\r\n\r\n")
    assert b"content-length: 3" in first
    assert rest.startswith(b"HTTP/1.1 200 OK")
    assert rest.endswith(b"\r\n\r\nabc")


async def test_who_answers_in_an_exception_handler_changes_nothing_of_what_follows(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of a body and what is behind it are parsed while that exception is handled."""

    async def app(_: Any, __: Any, send: Any) -> None:
        try:
            int("")
        except ValueError:
            # Once a part of the body is here, the rest of it and the next request wait unread.
            await asyncio.sleep(0.2)
            await send({**START, "status": 403, "headers": [(b"content-length", b"2")]})
            await send(END)

    size = 100_000
    begin = b"POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    wrong = GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: gzip\r\n\r\n")
    with caplog.at_level(logging.ERROR):
        async with serve(app) as server:
            heard = await server.hear(begin + bytes(size) + wrong)

    assert heard.statuses == ["403", "501"]
    assert caplog.records == []


async def test_an_application_that_never_answers_is_not_kept_by_a_client_who_left(
    serve: Any,
) -> None:
    told = asyncio.Event()

    async def app(_: Any, receive: Any, __: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    async with serve(app) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET)
        await writer.drain()
        writer.transport.abort()
        async with asyncio.timeout(10):
            await told.wait()
        connections = server.connections
        await server.until(lambda: not (connections.count or connections.requests))

    assert server.connections.addresses == 0

"""What an application may do, what it may not, and what a client hears then."""

import asyncio
import gc
from typing import Any

import pytest

GET = b"GET /n HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD /n HTTP/1.1\r\nHost: x\r\n\r\n"
GET_1_0 = b"GET /n HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
POST = b"POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"


def answering(*messages: dict[str, Any]) -> Any:
    """An application that sends just this."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(status: int = 200, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def body(data: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


TWO = start(content_length="2")


@pytest.mark.parametrize(
    ("sent", "app", "ends"),
    [
        (GET, answering(start(content_length="2"), body(b"ab")), b"\r\n\r\nab"),
        (GET, answering(TWO, body(b"a", more=True), body(b"b")), b"\r\n\r\nab"),
        (GET, answering(start(), body(b"ab")), b"\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
        (GET, answering(start(), body(b"", more=True), body()), b"\r\n\r\n0\r\n\r\n"),
        (GET, answering(start(204), body(b"ab")), b"\r\n\r\n"),
        (GET, answering(start(304, content_length="9"), body()), b"content-length: 9\r\n"),
        (HEAD, answering(start(content_length="2"), body(b"ab")), b"content-length: 2\r\n"),
        (HEAD, answering(start(), body(b"ab")), b"\r\n\r\n"),
        (GET_1_0, answering(start(content_length="2"), body(b"ab")), b"\r\n\r\nab"),
        (GET, answering(start(299, content_length="0"), body()), b"\r\n\r\n"),
        (GET, answering(start(transfer_encoding="chunked"), body(b"a")), b"1\r\na\r\n0\r\n\r\n"),
    ],
    ids=[
        "a length", "a length in pieces", "chunks", "no chunk", "204", "304", "HEAD",
        "HEAD without a length", "1.0", "a status without a name", "chunks of its own",
    ],
)  # fmt: skip
async def test_each_answer_is_framed_so_that_the_next_one_can_be_told_from_it(
    sent: bytes, app: Any, ends: bytes, serve: Any
) -> None:
    async with serve(app) as server:
        heard = await server.hear(sent, last=True)

    first, separator, _ = heard.data.rpartition(b"HTTP/1.1")
    assert separator
    assert len(heard.statuses) == 2
    assert ends in first if ends.startswith(b"content") else first.endswith(ends)
    assert heard.data.count(b"date: ") == 2


@pytest.mark.parametrize(
    "app",
    [
        answering(start(content_length="3"), body(b"ab")),
        answering(start(content_length="1"), body(b"ab")),
        answering(start(x="a\r\nInjected: b"), body()),
        answering(start(x="a\nb"), body()),
        answering(start(x="a\0b"), body()),
        answering({**start(), "headers": [(b"x\r\ny", b"z")]}, body()),
        answering(body(b"ab")),
        answering(start()),
        answering(),
        answering(start(), start()),
        answering({"type": "websocket.accept"}),
    ],
    ids=[
        "too short", "too long", "a line in a value", "a line feed", "NUL", "a line in a name",
        "no start", "no body", "nothing", "two starts", "another protocol",
    ],
)  # fmt: skip
async def test_an_application_that_breaks_the_rules_is_500_and_nothing_of_it_gets_out(
    app: Any, serve: Any
) -> None:
    async with serve(app) as server:
        heard = await server.hear(GET)

    assert heard.statuses == ["500"]
    assert heard.closed
    assert b"njected" not in heard.data


async def test_an_answer_that_fails_in_the_middle_is_cut_off_and_not_ended(serve: Any) -> None:
    async with serve(answering(start(), body(b"half", more=True), start())) as server:
        heard = await server.hear(GET)

    assert heard.closed
    assert b"half" in heard.data
    assert not heard.data.endswith(b"0\r\n\r\n")


async def test_a_client_that_leaves_is_told_to_the_application_once_it_has_the_body(
    serve: Any,
) -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            told.put_nowait(await receive())
        await send(start())
        await send(body(b"to nobody"))

    async with serve(app) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(POST + b"abc")
        async with asyncio.timeout(5):
            first = await told.get()
            while not first["body"]:
                first = await told.get()
            writer.transport.abort()
            rest = await told.get()

    assert (first["body"], first["more_body"]) == (b"abc", False)
    assert rest == {"type": "http.disconnect"}


async def test_a_request_that_waits_long_is_not_forgotten_by_the_loop(serve: Any) -> None:
    """Only the server itself keeps a task that waits for something that nobody else refers to."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        gc.collect()
        asyncio.get_running_loop().call_later(0.2, gc.collect)
        await asyncio.sleep(0.4)
        await send(start(content_length="0"))
        await send(body())

    async with serve(app) as server:
        heard = await server.hear(GET, last=True)

    assert heard.statuses == ["200", "200"]


async def test_a_head_waits_for_the_first_piece_and_no_longer(serve: Any) -> None:
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"first", more=True))
        await go_on.wait()
        await send(body(b"second"))

    async with serve(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET)
        first = await asyncio.wait_for(reader.readuntil(b"first\r\n"), 5)
        go_on.set()
        rest = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)
        writer.close()

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"second" in rest

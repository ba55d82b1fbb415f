"""Looks at a fal that is scripted answer by answer: broken streams, broken answers, odd words."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from falgate.fal.client import FalQueue
from falgate.fal.replies import Delivered, Lost
from falgate.models.endpoints import MODELS

SPEC = MODELS["fal-ai/gpt-image-1.5"]
ID = "0199aaaa-0000-7000-8000-000000000000"
QUEUED = '{"status":"IN_QUEUE","queue_position":0}'
WORKING = '{"status":"IN_PROGRESS","logs":null}'
DONE = '{"status":"COMPLETED","logs":null,"metrics":{}}'
OUTPUT = '{"images":[{"url":"https://v3.fal.media/files/b/x/0.png"}]}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
STREAMS = {
    "method not allowed": b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
    "not found": b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    "closed before its head": b"",
    "closed after its head": STREAM,
    "closed in an event": STREAM + b'data: {"status":"COMP',
    "no more than progress": STREAM + f"data: {WORKING}\n\n".encode(),
    "no events": STREAM + b"<html>It works!</html>\n",
    "an event too deep": STREAM + b"data: " + b"[" * 100_000 + b"\n\n",
    "events of no form": STREAM + b"data: 7\n\ndata: {\n\ndata: \xff\n\ndata: []\n\nid: 1\n\n",
    "a line without end": STREAM + b"data: " + b"x" * (2 << 20),
}


async def test_a_stream_that_completes_saves_every_further_look(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    events = f": hello\r\n\r\ndata: {WORKING}\r\n\r\n\r\n: hello\n\ndata:{DONE}\n\n"
    script = {
        "status": [say(202, QUEUED), say(202, WORKING)],
        "status/stream": [STREAM + events.encode()],
        "result": [say(200, OUTPUT, x_fal_billable_units="1")],
    }
    far = await peer(script)
    result = await queue(far.url).collect(SPEC, ID)
    assert result == Delivered(json.loads(OUTPUT), "1")
    lines = [request.partition(b" HTTP/1.1\r\n")[0].decode() for request in far.heard]
    place = f"GET /fal-ai/gpt-image-1.5/requests/{ID}"
    assert lines == [
        f"{place}/status?logs=1",
        f"{place}/status?logs=1",
        f"{place}/status/stream?logs=1",
        place,
    ]


async def test_requests_live_under_the_owner_and_the_alias_whatever_the_endpoint(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    far = await peer({"status": [say(200, DONE)], "result": [say(200, OUTPUT)]})
    deeper = msgspec.structs.replace(SPEC, endpoint="fal-ai/gpt-image-1.5/edit")
    assert isinstance(await queue(far.url).collect(deeper, ID), Delivered)
    assert all(f"/fal-ai/gpt-image-1.5/requests/{ID}".encode() in heard for heard in far.heard)


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
async def test_a_stream_of_no_use_is_replaced_by_looks(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    stream: bytes,
) -> None:
    script = {
        "status": [say(202, WORKING), say(202, WORKING), say(200, DONE)],
        "status/stream": [stream],
        "result": [say(200, OUTPUT)],
    }
    far = await peer(script)
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


async def test_a_line_that_does_not_end_is_not_read_for_ever(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(STREAM + b"data: ")
        while sent < 256 << 20:
            writer.write(bytes(1 << 16))
            sent += 1 << 16
            await writer.drain()

    script = {
        "status": [say(202, WORKING), say(200, DONE)],
        "status/stream": [flood],
        "result": [say(200, OUTPUT)],
    }
    far = await peer(script)
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)
    assert sent < 32 << 20


async def test_an_event_may_come_in_pieces(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for index in range(len(DONE) + 8):
            piece = f"data: {DONE}\n\n".encode()[index : index + 1]
            writer.write(STREAM + piece if index == 0 else piece)
            await writer.drain()
            await asyncio.sleep(0)
        await writer.wait_closed()

    script = {"status": [say(202, WORKING)], "status/stream": [drip], "result": [say(200, OUTPUT)]}
    far = await peer(script)
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"images":[]}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{"images":[]}',
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
)
async def test_a_connection_that_breaks_says_nothing_about_the_job(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    broken: bytes,
) -> None:
    script = {
        "status": [*[broken] * 6, say(200, DONE)],
        "result": [*[broken] * 6, say(200, OUTPUT)],
    }
    far = await peer(script)
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


@pytest.mark.parametrize(
    "strange",
    [
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" + b" " * (2 << 20) + b"]",
    ],
)
@pytest.mark.parametrize("at", ["status", "result"])
async def test_answers_of_no_sense_are_borne_a_few_times_in_a_row_only(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    strange: bytes,
    at: str,
) -> None:
    sound = {"status": [say(200, DONE)], "result": [say(200, OUTPUT)]}
    twice = await peer({**sound, at: [strange, strange, *sound[at]]})
    assert isinstance(await queue(twice.url).collect(SPEC, ID), Delivered)
    always = await peer({**sound, at: [strange]})
    assert isinstance(await queue(always.url).collect(SPEC, ID), Lost)


async def test_a_sound_look_makes_up_for_strange_ones_before_it(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    unknown = say(404, '{"status":"NOT_FOUND"}')
    looks = [*[unknown, unknown, say(202, QUEUED)] * 3, say(200, DONE)]
    far = await peer({"status": looks, "result": [say(200, OUTPUT)]})
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


async def test_a_status_that_fal_may_invent_later_is_no_end(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    looks = [*[say(202, '{"status":"REQUEUED"}')] * 6, say(200, DONE)]
    far = await peer({"status": looks, "result": [say(200, OUTPUT)]})
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


async def test_an_endless_or_dripping_answer_is_cut_at_the_deadline_and_asked_for_again(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("falgate.fal.client._LOOK_S", 0.2)

    async def announce(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in say(200, OUTPUT):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    script = {"status": [announce, say(200, DONE)], "result": [drip, say(200, OUTPUT)]}
    far = await peer(script)
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


async def test_what_must_be_followed_for_too_long_is_lost_whatever_it_waits_for(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("falgate.fal.client._FOLLOW_S_MAX", 0.2)

    async def silence(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    scripts: list[dict[str, list[Any]]] = [
        {"status": [silence]},
        {"status": [say(202, QUEUED)]},
        {"status": [say(503)]},
        {"status": [say(202, WORKING)], "status/stream": [silence]},
        {"status": [say(200, DONE)], "result": [silence]},
        {"status": [say(200, DONE)], "result": [say(503)]},
    ]
    for script in scripts:
        far = await peer(script)
        result = await queue(far.url).collect(SPEC, ID)
        assert result == Lost("fal did not finish in time")

"""A submit to a peer that breaks HTTP: unsent is only what provably never left."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from patience import PATIENCE_S

from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted, Lost, Submission, Unsent

ENDPOINT = "fal-ai/gpt-image-1.5"
ID = "0199aaaa-0000-7000-8000-000000000000"
TAKEN = f'{{"request_id":"{ID}"}}'.encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(TAKEN) + TAKEN

ANSWERS = {
    "nothing": b"",
    "half a head": HEAD,
    "half a status line": b"HTTP/1.",
    "half a body": HEAD + b"Content-Length: 900\r\n\r\n" + TAKEN,
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + TAKEN,
    "no last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(TAKEN) + TAKEN,
    "half a body of no length": HEAD + b"\r\n" + TAKEN[:-5],
    "a body longer than all reason": HEAD + b"Content-Length: 9999999\r\n\r\n" + bytes(2 << 20),
    "another encoding": HEAD + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    "another encoding in name only": WHOLE.replace(b"Content-Type", b"Content-Encoding: br\r\nX"),
    "invalid UTF-8": HEAD + b'Content-Length: 18\r\n\r\n{"request_id":"\xff"}',
    "two lengths": WHOLE.replace(b"Content-Type", b"Content-Length: 3\r\nX-Type"),
    "length and chunks": WHOLE.replace(b"Content-Type", b"Transfer-Encoding: chunked\r\nX-Type"),
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + TAKEN,
    "a NUL in its head": WHOLE.replace(b"application/json", b"application\0json"),
    "a head without end": HEAD + b"X-Long: " + b"x" * 200_000,
    "many headers": HEAD + b"X-A: b\r\n" * 50_000,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a page of HTTP/0.9": b"<html>It works!</html>\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "created": WHOLE.replace(b"200", b"201"),
    "a server error": WHOLE.replace(b"200", b"500"),
    "an error of a proxy": WHOLE.replace(b"200", b"502"),
    "a status of no class": WHOLE.replace(b"200", b"999"),
}


async def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def _reset_in_head(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    await writer.drain()
    await _reset(writer)


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def _silence_in_head(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    await writer.wait_closed()


async def _silence_in_body(writer: asyncio.StreamWriter) -> None:
    writer.write(WHOLE[:-3])
    await writer.wait_closed()


async def _drip(writer: asyncio.StreamWriter) -> None:
    for index in range(len(WHOLE)):
        writer.write(WHOLE[index : index + 1])
        await writer.drain()
        await asyncio.sleep(0.02)


async def _announce(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.005)


async def _flood(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
        await writer.drain()


async def _submit(client: FalQueue) -> Submission:
    return await client.submit(ENDPOINT, {"prompt": "a fox"}, "job")


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_no_sound_one_is_lost_and_asked_for_once(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], answer: bytes
) -> None:
    far = await peer(answer)
    assert isinstance(await _submit(queue(far.url)), Lost)
    assert len(far.heard) == 1


@pytest.mark.parametrize("behaviour", [_reset, _reset_in_head, _flood])
async def test_a_connection_that_breaks_after_the_request_is_lost(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], behaviour: Any
) -> None:
    far = await peer(behaviour)
    assert isinstance(await _submit(queue(far.url)), Lost)
    assert len(far.heard) == 1


@pytest.mark.parametrize(
    "behaviour", [_silence, _silence_in_head, _silence_in_body, _drip, _announce]
)
async def test_what_is_not_answered_in_time_is_lost(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Any,
) -> None:
    monkeypatch.setattr("falgate.fal.client._SUBMIT_S", 0.3)
    far = await peer(behaviour)
    async with asyncio.timeout(PATIENCE_S):  # None of them ever ends.
        assert isinstance(await _submit(queue(far.url)), Lost)
    assert len(far.heard) == 1


async def test_a_connection_reset_before_the_request_was_read_is_lost(
    queue: Callable[..., FalQueue],
) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # One byte proves that the request is on its way.
        await _reset(writer)

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert isinstance(await _submit(queue(f"http://127.0.0.1:{port}")), Lost)


@pytest.fixture
def tls() -> ssl.SSLContext:
    """What a server needs, but for its certificate."""
    return ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)


@pytest.mark.parametrize(("name", "fits"), [("127.0.0.1", True), ("queue.example", False)])
async def test_an_authority_that_the_environment_names_is_believed_for_the_right_name(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    tls: ssl.SSLContext,
    authority: tuple[trustme.CA, Path],
    *,
    name: str,
    fits: bool,
) -> None:
    authority[0].issue_cert(name).configure_cert(tls)
    far = await peer(WHOLE, tls)
    submission = await _submit(queue(far.url))
    assert isinstance(submission, Accepted if fits else Unsent)
    assert len(far.heard) == fits


async def test_no_submit_goes_over_a_connection_that_an_earlier_one_left(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue]
) -> None:
    async def keep(writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE)
        await writer.drain()

    far = await peer(keep)
    client = queue(far.url)
    assert [await _submit(client) for _ in range(3)] == [Accepted(ID)] * 3
    assert (far.connections, len(far.heard)) == (3, 3)


async def test_what_is_written_after_the_whole_answer_does_not_matter(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue]
) -> None:
    far = await peer(b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE + WHOLE)
    assert await _submit(queue(far.url)) == Accepted(ID)


async def test_a_proxy_that_refuses_the_way_to_fal_leaves_it_unsent(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = await peer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert isinstance(await _submit(queue("https://queue.example")), Unsent)
    [asked] = proxy.heard
    assert asked.startswith(b"CONNECT queue.example:443 HTTP/1.1\r\n")
    assert b"canary" not in asked


async def test_a_proxy_is_used_where_the_environment_names_one_and_only_there(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far, proxy = await peer(WHOLE), await peer(WHOLE)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert await _submit(queue("http://queue.example")) == Accepted(ID)
    assert proxy.heard[0].startswith(b"POST http://queue.example/fal-ai/gpt-image-1.5 HTTP/1.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert await _submit(queue(far.url)) == Accepted(ID)
    assert (len(proxy.heard), len(far.heard)) == (1, 1)


async def test_a_netrc_file_changes_nothing(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    far = await peer(WHOLE)
    client = queue(far.url)
    assert await _submit(client) == Accepted(ID)
    assert await client.download(f"{far.url}/files/0.png") == TAKEN
    assert b"\r\nAuthorization: Key canary-id:canary-secret\r\n" in far.heard[0]
    assert b"authorization" not in far.heard[1].lower()

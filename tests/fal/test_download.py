"""Downloads: from where, how much and how long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.fal.client import FAL_MEDIA, FalQueue
from falgate.fal.download import MediaHosts
from falgate.fal.replies import Accepted, DownloadFailed
from falgate.settings import FAL_QUEUE

HOSTS = MediaHosts(FAL_QUEUE, FAL_MEDIA)
ALLOWED = [
    "https://fal.media/files/b/x/0.png",
    "https://v3.fal.media/files/b/x/0.png",
    "https://v3b.fal.media/files/b/x/0.png?a=b#c",
    "https://v3.fal.media:443/0.png",
    "HTTPS://V3.FAL.MEDIA/0.png",
    "https://v3.fal。media/0.png",
    "https://queue.fal.run/files/0.png",
]
BARRED = [
    "http://fal.media/0.png",
    "http://v3.fal.media/0.png",
    "http://v3.fal.media:443/0.png",
    "ftp://v3.fal.media/0.png",
    "https://v3.fal.media:8443/0.png",
    "https://user@v3.fal.media/0.png",
    "https://user:word@v3.fal.media/0.png",
    "https://v3.fal.media@evil.example/0.png",
    "https://v3.fal.media:443@evil.example/0.png",
    "https://evil.example\\@v3.fal.media/0.png",
    "https://evil.example\\.fal.media/0.png",
    "https://v3.fal.media\\.evil.example/0.png",
    "https://evil.example%2f.fal.media/0.png",
    "https://evil.example%00.fal.media/0.png",
    "https://v3.fal.media%2eevil.example/0.png",
    "https://evil.example#.fal.media/0.png",
    "https://evil.example?.fal.media/0.png",
    "https://evil.example/.fal.media/0.png",
    "https://evilfal.media/0.png",
    "https://fal.media.evil.example/0.png",
    "https://fal.media.evil.com/0.png",
    "https://v3.fal.media．evil.com/0.png",  # noqa: RUF001 - a full-width dot is a dot
    "https://v3.fal.media。evil.com/0.png",
    "https://fаl.media/0.png",  # noqa: RUF001 - a Cyrillic letter
    "https://.fal.media/0.png",
    "https://v3..fal.media/0.png",
    "https://fal.media./0.png",
    "https://v3.fal.media./0.png",
    "https://xn--.fal.media/0.png",
    "https://xn--a.fal.media/0.png",
    "https://xn--fal-.media/0.png",
    "https://\ud800.fal.media/0.png",
    "https://v3.fal.media/\ud800/0.png",
    "https://media/0.png",
    "https://fal/0.png",
    "https://127.0.0.1/0.png",
    "http://127.0.0.1/0.png",
    "https://2130706433/0.png",
    "https://0x7f.1/0.png",
    "https://0177.0.0.1/0.png",
    "https://[::1]/0.png",
    "https://[::ffff:127.0.0.1]/0.png",
    "https://[64:ff9b::a9fe:a9fe]/0.png",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/0.png",
    "http://queue.fal.run/0.png",
    "https://queue.fal.run:444/0.png",
    "https://user@queue.fal.run/0.png",
    "https://xqueue.fal.run/0.png",
    "https://fal.run/0.png",
    "//v3.fal.media/0.png",
    "/files/0.png",
    "v3.fal.media/0.png",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "https:///0.png",
    "https://",
    "https:v3.fal.media",
    "https://[::1/0.png",
    "https://v3.fal.media:port/0.png",
    "https://v3.fal.media:99999999/0.png",
    "https://v3.fal.media/\n0.png",
    " https://v3.fal.media/0.png",
    "https://v3.fal.media/" + "x" * 100_000,
    "",
    "\0",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_pictures_come_from_fals_media_hosts_and_the_queues_own_origin(url: str) -> None:
    assert HOSTS.allow(url)


@pytest.mark.parametrize("url", BARRED, ids=lambda url: url[:60].encode("unicode_escape").decode())
async def test_nothing_is_fetched_from_anywhere_else(
    queue: Callable[..., FalQueue], url: str
) -> None:
    assert not HOSTS.allow(url)
    with pytest.raises(DownloadFailed, match="not fetched from") as failed:
        await queue(FAL_QUEUE, media_domains=FAL_MEDIA).download(url)
    assert len(str(failed.value)) < 300
    assert "0.png" not in str(failed.value)


@pytest.mark.parametrize("label", ["a" * 70, "-", "a." * 130 + "a"])
async def test_a_host_that_no_name_server_can_know_is_a_failed_download(
    queue: Callable[..., FalQueue], label: str
) -> None:
    client = queue(FAL_QUEUE, media_domains=("media.invalid",))
    with pytest.raises(DownloadFailed) as failed:
        await client.download(f"https://{label}.media.invalid/0.png")
    assert len(str(failed.value)) <= 300


def test_an_origin_is_a_scheme_a_host_and_a_port() -> None:
    local = MediaHosts("http://127.0.0.1:9000/queue", ())
    assert local.allow("http://127.0.0.1:9000/files/0.png")
    assert not local.allow("http://127.0.0.1:9001/files/0.png")
    assert not local.allow("http://127.0.0.1/files/0.png")
    assert not local.allow("https://127.0.0.1:9000/files/0.png")
    assert not local.allow("http://localhost:9000/files/0.png")
    assert not local.allow("https://fal.media/0.png")


async def test_a_picture_comes_as_it_was_sent_and_is_asked_for_as_it_is(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    far = await peer(say(200, "pixels", Content_Type="text/html"))
    assert await queue(far.url).download(f"{far.url}/a/0.png?b=c") == b"pixels"
    [request] = far.heard
    assert request.startswith(b"GET /a/0.png?b=c HTTP/1.1\r\n")
    assert b"\r\naccept-encoding: identity\r\n" in request.lower()
    assert b"authorization" not in request.lower()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "status 403"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx", "status 206"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "is compressed",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "Error"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx", "Error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nx", "Error"),
        (b"HTTP/1.1 200", "Connect|Error"),
        (b"", "Connect|Error"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "Error"),
    ],
)
async def test_a_picture_that_does_not_come_whole_is_a_failure_that_says_why(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], answer: bytes, why: str
) -> None:
    far = await peer(answer)
    with pytest.raises(DownloadFailed, match=why):
        await queue(far.url).download(f"{far.url}/0.png")


async def test_a_picture_that_is_too_large_is_not_read_to_its_end(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("falgate.fal.download.PICTURE_BYTES_MAX", 1 << 20)
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(1 << 16))
            sent += 1 << 16
            await writer.drain()

    far = await peer(flood)
    with pytest.raises(DownloadFailed, match="is longer than"):
        await queue(far.url).download(f"{far.url}/0.png")
    assert sent < 32 << 20


async def test_a_picture_that_drips_is_given_up_at_the_deadline(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("falgate.fal.download._DEADLINE_S", 0.3)

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    far = await peer(drip)
    with pytest.raises(DownloadFailed, match="TimeoutError"):
        await queue(far.url).download(f"{far.url}/0.png")


@pytest.mark.parametrize("fault", ["error", "ingress", "dropped", "truncated"])
async def test_a_delivery_that_fails_once_can_be_fetched_again(
    fal: Any, queue: Callable[..., FalQueue], fault: str
) -> None:
    fal.turn(work_s=0, fault=fault, at="media", faults=1)
    client = queue()
    submission = await client.submit("fal-ai/gpt-image-1.5", {"prompt": "a fox"}, "job")
    assert isinstance(submission, Accepted)
    url = f"{fal.origin}/files/b/{submission.request_id}/0.png"
    with pytest.raises(DownloadFailed):
        await client.download(url)
    assert (await client.download(url)).startswith(b"\x89PNG\r\n")

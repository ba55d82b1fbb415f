"""What a bucket is asked for, and what it means when it does not answer."""

import asyncio
import hashlib
import os
import socket
from collections.abc import Callable

import pytest

from falgate.core.errors import StoreUnavailable
from falgate.pictures.storage import PictureStore

NAME = f"{hashlib.sha256(b'0123456789').hexdigest()}.png"


@pytest.fixture
def bucket_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], PictureStore]:
    """Opens a bucket of an S3 service on a local port."""

    def open_at(port: int) -> PictureStore:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        return PictureStore("s3://bucket/prefix")

    return open_at


async def test_a_bucket_that_does_not_answer_is_unavailable(
    bucket_at: Callable[[int], PictureStore],
) -> None:
    with socket.socket() as bound:  # and not listening, so that nobody answers there
        bound.bind(("127.0.0.1", 0))
        store = bucket_at(bound.getsockname()[1])
        with pytest.raises(StoreUnavailable):
            await store.size(NAME)


async def test_a_bucket_is_told_the_type_and_gets_one_request(
    bucket_at: Callable[[int], PictureStore],
) -> None:
    requests: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        requests.append(head)
        length = next(
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.lower().startswith("content-length")
        )
        await reader.readexactly(length)
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        store = bucket_at(server.sockets[0].getsockname()[1])
        await store.put(bytes(6_000_000), NAME)
    assert len(requests) == 1
    assert requests[0].startswith(f"PUT /bucket/prefix/pictures/{NAME} ")
    assert "content-type: image/png" in requests[0].lower()


async def test_a_bucket_without_credentials_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    said: list[str] = []
    with socket.socket() as bound:  # where a machine in the cloud would be given some
        bound.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{bound.getsockname()[1]}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", place)
        with pytest.raises(StoreUnavailable):
            await PictureStore("s3://bucket/prefix", said.append).check()

    [line] = said
    assert f"{place}/latest/api/token" in line
    assert len(line) <= 300

"""Uploading input pictures to fal's storage: by whom, with which key, and how it may fail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from patience import PATIENCE_S

from falgate.fal.storage import FalStorage, UploadFailed

KEY, DATA = "canary-id:canary-secret", b"\x89PNG picture"
ANNOUNCED, PUT = "/storage/upload/initiate", "/put"
SIGNED = "signature=canary-signature"
Say = Callable[..., bytes]
Start = Callable[..., Awaitable[Any]]


async def _never(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(PATIENCE_S)


@pytest.fixture
async def store(peer: Start, say: Say) -> Callable[..., Awaitable[Any]]:
    """Uploads to a storage that answers so, and tells what it heard and what it said of it."""

    async def stored(*, announced: Any = None, put: Any = None) -> Any:
        script: dict[str, Any] = {PUT: [put or say(200)]}
        heard = await peer(script)
        urls = {"upload_url": f"{heard.url}{PUT}?{SIGNED}", "file_url": "https://v3.fal.media/a"}
        script[ANNOUNCED] = [announced or say(200, json.dumps(urls))]
        troubles: list[str] = []
        storage = FalStorage(heard.url, KEY, troubled=troubles.append)
        try:
            return await storage.upload(DATA, "image/png", "a.png"), heard, troubles
        except UploadFailed as failed:
            return failed, heard, troubles

    return stored


async def test_a_picture_is_announced_with_the_key_and_put_without_it(store: Any) -> None:
    url, heard, troubles = await store()

    announced, put = heard.heard
    assert (url, troubles) == ("https://v3.fal.media/a", [])
    head, _, told = announced.partition(b"\r\n\r\n")
    assert head.startswith(f"POST {ANNOUNCED}?storage_type=fal-cdn-v3 ".encode())
    assert f"authorization: key {KEY}".encode() in head.lower()
    assert b'{"expiration_duration_seconds":86400}' in head
    assert json.loads(told) == {"content_type": "image/png", "file_name": "a.png"}
    assert put.startswith(f"PUT {PUT}?{SIGNED} ".encode())
    assert put.endswith(b"\r\n\r\n" + DATA)
    assert b"content-type: image/png" in put.lower()
    assert b"authorization" not in put.lower()


@pytest.mark.parametrize("status", [302, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("at", ["announced", "put"])
async def test_another_answer_than_success_is_a_failure(
    at: str, status: int, store: Any, say: Say
) -> None:
    failed, heard, troubles = await store(**{at: say(status, "canary-body", Location="/x")})

    assert isinstance(failed, UploadFailed)
    assert troubles == [str(failed)] == [f"fal's storage answered {status}"]
    assert len(heard.heard) == (1 if at == "announced" else 2), "nothing is tried again"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        '{"upload_url":"https://a.example/p"}',
        '{"upload_url":7,"file_url":"https://a.example/f"}',
        '{"upload_url":"http://a.example/p","file_url":"https://a.example/f"}',
        '{"upload_url":"https://a.example/p","file_url":"http://a.example/f"}',
        '{"upload_url":"file:///etc/passwd","file_url":"https://a.example/f"}',
        json.dumps({"upload_url": f"https://a/{'p' * 2048}", "file_url": "https://a.example/f"}),
        json.dumps({"upload_url": "https://a/p", "file_url": f"https://a/{'f' * 2048}"}),
        "x" * 70_000,
    ],
)
async def test_an_answer_without_two_usable_urls_is_a_failure(
    body: str, store: Any, say: Say
) -> None:
    failed, heard, _ = await store(announced=say(200, body))

    assert isinstance(failed, UploadFailed)
    assert len(heard.heard) == 1
    assert "canary" not in str(failed)


@pytest.mark.parametrize("at", ["announced", "put"])
async def test_a_storage_that_hangs_is_given_up(
    at: str, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.storage._INITIATE_S", PATIENCE_S if at == "put" else 0.1)
    monkeypatch.setattr("falgate.fal.storage._PUT_S", 0.1)

    failed, _, troubles = await store(**{at: _never})

    assert isinstance(failed, UploadFailed)
    assert len(troubles) == 1
    assert "canary" not in str(failed) + troubles[0]


async def test_a_storage_that_is_not_there_is_a_failure_without_secrets(
    closed_port_url: str,
) -> None:
    storage = FalStorage(closed_port_url.replace("redis://", "http://"), KEY)

    with pytest.raises(UploadFailed) as failed:
        await storage.upload(DATA, "image/png", "a.png")

    assert "canary" not in f"{failed.value} {storage!r}"

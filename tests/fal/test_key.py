"""fal's key goes to fal's queue, and nowhere else: not to other hosts, downloads, logs or texts."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted, Delivered, DownloadFailed, Lost
from falgate.models.endpoints import MODELS
from falgate.telemetry.logs import configure

SPEC = MODELS["fal-ai/gpt-image-1.5"]
ID = "0199aaaa-0000-7000-8000-000000000000"
SUBMIT = f"/{SPEC.endpoint}"
DONE = '{"status":"COMPLETED"}'
CANARY = "canary-secret"


@pytest.fixture
def _as_configured() -> Iterator[None]:
    """Logging as it was, after a test that sets it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("httpx", "httpcore", "aiohttp", "asyncio", "uvicorn.access")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


async def test_the_key_goes_with_every_call_to_the_queue_and_with_no_download(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    fal.turn(work_s=0.05, key_id="canary-id")
    client = queue()
    body = SPEC.purchase(SPEC.input(prompt="a fox"), 1)
    submission = await client.submit(SPEC.endpoint, body, "job")
    assert isinstance(submission, Accepted)
    result = await client.collect(SPEC, submission.request_id)
    assert isinstance(result, Delivered)
    [file] = SPEC.files(result.output)
    assert await client.download(file["url"])
    visits = fal.books()["visits"]
    assert visits["media"] == 1
    assert "media_with_authorization" not in visits


async def test_urls_in_fals_answers_lead_nowhere(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    trap = await peer(say(200, DONE))
    urls = {
        "request_id": ID,
        **{f"{what}_url": f"{trap.url}/{what}" for what in ("status", "response", "cancel")},
    }
    working = say(202, json.dumps({"status": "IN_PROGRESS", **urls}))
    done = json.dumps({"status": "COMPLETED", **urls})
    stream = f"HTTP/1.1 200 OK\r\n\r\ndata: {done}\n\n".encode()
    output = json.dumps({"images": [{"url": f"{trap.url}/0.png"}], **urls})
    script = {
        SUBMIT: [say(200, json.dumps({"status": "IN_QUEUE", **urls}))],
        "status": [working],
        "status/stream": [stream],
        "result": [say(200, output)],
    }
    far = await peer(script)
    client = queue(far.url)
    assert await client.submit(SPEC.endpoint, {}, "job") == Accepted(ID)
    result = await client.collect(SPEC, ID)
    assert isinstance(result, Delivered)
    with pytest.raises(DownloadFailed):
        await client.download(SPEC.files(result.output)[0]["url"])
    assert trap.connections == 0
    assert all(b"Key canary-id:canary-secret" in request for request in far.heard)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    status: int,
) -> None:
    trap = await peer(say(200, f'{{"request_id":"{ID}","status":"COMPLETED"}}'))
    away = say(status, "", Location=f"{trap.url}/fal-ai/gpt-image-1.5")
    working = say(202, '{"status":"IN_PROGRESS"}')
    looks = [working, away, working, away, away, away]
    script = {SUBMIT: [away], "status": looks, "status/stream": [away], "/0.png": [away]}
    far = await peer(script)
    client = queue(far.url)
    assert isinstance(await client.submit(SPEC.endpoint, {}, "job"), Lost)
    assert isinstance(await client.collect(SPEC, ID), Lost)
    with pytest.raises(DownloadFailed, match=f"status {status}"):
        await client.download(f"{far.url}/0.png")
    assert trap.connections == 0
    assert sum(b"POST" in request for request in far.heard) == 1


async def test_no_cookie_is_kept(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    cookie = "session=canary-cookie; Path=/"
    script = {
        SUBMIT: [say(200, f'{{"request_id":"{ID}"}}', Set_Cookie=cookie)],
        "status": [say(200, DONE, Set_Cookie=cookie)],
        "result": [say(200, "{}", Set_Cookie=cookie)],
        "/0.png": [say(200, "x", Set_Cookie=cookie)],
    }
    far = await peer(script)
    client = queue(far.url)
    for _ in range(2):
        await client.submit(SPEC.endpoint, {}, "job")
        await client.collect(SPEC, ID)
        await client.download(f"{far.url}/0.png")
    assert len(far.heard) == 8
    assert not any(b"cookie" in request.lower() for request in far.heard)


async def test_no_text_of_the_clients_has_the_key(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue]
) -> None:
    far = await peer(b"HTTP/1.1 200 OK\r\n")
    client = queue(far.url)
    texts = [repr(client), str(client), f"{client.submit}"]
    texts.append(repr(await client.submit(SPEC.endpoint, {"prompt": CANARY}, "job")))
    texts.append(repr(await queue("http://queue.invalid").submit(SPEC.endpoint, {}, "job")))
    with pytest.raises(DownloadFailed) as failed:
        await client.download(f"https://user:{CANARY}@elsewhere.example/{CANARY}?token={CANARY}")
    texts += [str(failed.value), repr(failed.value)]
    assert not [text for text in texts if CANARY in text]


@pytest.mark.usefixtures("_as_configured")
async def test_the_logs_tell_no_url_no_key_and_no_prompt(
    fal: Any,
    queue: Callable[..., FalQueue],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fal.turn(work_s=0.02)
    configure("debug", people=False)
    logging.getLogger("elsewhere").info("the log is on")
    client = queue()
    body = SPEC.purchase(SPEC.input(prompt="canary-prompt"), 1)
    submission = await client.submit(SPEC.endpoint, body, "job")
    assert isinstance(submission, Accepted)
    result = await client.collect(SPEC, submission.request_id)
    assert isinstance(result, Delivered)
    await client.download(SPEC.files(result.output)[0]["url"])
    await queue("http://queue.invalid").submit(SPEC.endpoint, body, "job")
    await asyncio.sleep(0)
    told = capsys.readouterr().err
    assert "the log is on" in told
    for word in ("canary", "127.0.0.1", "queue.invalid", submission.request_id, "http://"):
        assert word not in told

"""What cannot be reached is told, with the kind of error and its words."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.core.errors import Unavailable
from falgate.fal.billing import BooksClosed
from falgate.fal.client import FalQueue
from falgate.fal.platform import FalPlatform
from falgate.fal.replies import Delivered, Lost, Rejected, Unsent
from falgate.fal.signatures import Signatures
from falgate.fal.signing import SIGNATURE, TIMESTAMP
from falgate.models.endpoints import MODELS

SPEC = MODELS["fal-ai/gpt-image-1.5"]
DONE = '{"status":"COMPLETED","logs":null,"metrics":{}}'
OUTPUT = '{"images":[{"url":"https://v3.fal.media/files/b/x/0.png"}]}'
REFUSED = "ClientConnectorError: Cannot connect to host 127.0.0.1:"


@pytest.fixture
def nowhere() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_submit_that_cannot_be_made(queue: Callable[..., FalQueue], nowhere: str) -> None:
    said: list[str] = []
    fal = queue(nowhere, troubled=said.append)
    submission = await fal.submit(SPEC.endpoint, {"prompt": "a fox"}, "job")

    assert isinstance(submission, Unsent)
    assert said == [submission.why]
    assert said[0].startswith(REFUSED)


async def test_looks_that_are_refused_or_not_answered(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    said: list[str] = []
    locked = say(403, '{"detail":"User is locked."}')
    far = await peer(
        {"status": [say(202, DONE)[:-3], locked, say(200, DONE)], "result": [say(200, OUTPUT)]}
    )

    assert isinstance(await queue(far.url, troubled=said.append).collect(SPEC, "id"), Delivered)
    assert said[0].startswith("ClientPayloadError: ")
    assert said[1:] == ["fal answered 403 to a look at a request: User is locked."]


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 429, 499, 500, 503])
async def test_a_refusal_that_is_not_the_callers_fault_is_told_in_fals_own_words(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    status: int,
) -> None:
    said: list[str] = []
    far = await peer(say(status, '{"detail":"User is locked.\\nReason: id:canary-secret"}'))
    submission = await queue(far.url, troubled=said.append).submit(SPEC.endpoint, {}, "job")

    assert isinstance(submission, Rejected | Lost)
    [line] = said
    assert line.startswith(f"fal answered {status}")
    assert line.endswith(": User is locked. Reason: id:***")
    assert line == (submission.said if isinstance(submission, Rejected) else submission.why)


async def test_a_refusal_of_the_callers_own_input_is_no_trouble(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    said: list[str] = []
    far = await peer(say(422, '{"detail":"a fox is no number"}'))
    submission = await queue(far.url, troubled=said.append).submit(
        SPEC.endpoint, {"prompt": "a fox"}, "job"
    )

    assert (type(submission), said) == (Rejected, [])


async def test_words_of_fals_that_quote_the_prompt_are_not_told(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    said: list[str] = []
    far = await peer(say(500, '{"detail":"cannot paint: canary of a very secret fox"}'))
    await queue(far.url, troubled=said.append).submit(
        SPEC.endpoint, {"prompt": "a canary of a very secret fox, at night"}, "job"
    )
    results = {"status": [say(200, DONE)], "result": [say(500, '{"detail":"canary"}'), say(422)]}
    far = await peer(results)
    await queue(far.url, troubled=said.append).collect(SPEC, "id")

    assert said == [
        "fal answered 500 to the submit: (withheld: it quotes the request)",
        "fal answered 500 to a look at a request",
    ]


async def test_books_and_keys_that_cannot_be_read(nowhere: str) -> None:
    said: list[str] = []
    platform = FalPlatform(nowhere, "id:canary", troubled=said.append)
    with pytest.raises(BooksClosed, match="cannot be reached"):
        await platform.billed(["a"])
    await platform.close()
    signatures = Signatures(nowhere, troubled=said.append)
    headers = {TIMESTAMP.lower(): "100", SIGNATURE.lower(): "00"}
    with pytest.raises(Unavailable):
        await signatures.valid(headers, b"", 100)
    await signatures.close()

    assert len(said) == 2
    assert all(line.startswith(REFUSED) for line in said)


async def test_keys_that_are_none(
    peer: Callable[..., Awaitable[Any]], say: Callable[..., bytes]
) -> None:
    said: list[str] = []
    headers = {TIMESTAMP.lower(): "100", SIGNATURE.lower(): "00"}
    for answer in (say(404, '{"detail":"moved"}'), say(200, "<html>")):
        far = await peer(answer)
        signatures = Signatures(far.url, troubled=said.append)
        with pytest.raises(Unavailable):
            await signatures.valid(headers, b"", 100)
        await signatures.close()

    assert said[0] == "fal answered 404 to the request for its public keys: moved"
    assert said[1].startswith("DecodeError: ")


async def test_books_that_fal_does_not_open_are_told_in_its_words(
    peer: Callable[..., Awaitable[Any]], say: Callable[..., bytes]
) -> None:
    said: list[str] = []
    locked = '{"error":{"type":"authorization_error","message":"User is locked"}}'
    for status in (403, 500):
        far = await peer(say(status, locked))
        platform = FalPlatform(far.url, "id:canary", troubled=said.append)
        with pytest.raises(BooksClosed, match=f"{status} to a platform API call: User is locked"):
            await platform.billed(["a"])
        await platform.close()

    assert said == [
        f"fal answered {each} to a platform API call: User is locked" for each in (403, 500)
    ]

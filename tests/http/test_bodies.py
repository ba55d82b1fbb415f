"""Bodies of every kind, through the socket: never a 500, never a guess."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

MODEL = "/fal-ai/gpt-image-1.5"
JSON = "application/json"
GOOD = b'{"prompt":"bodies","quality":"low","output_format":"jpeg"}'

Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def post(client: httpx.AsyncClient) -> Post:
    """A function that posts bytes of a content type."""

    async def posted(body: bytes, content_type: str | None = JSON, **more: str) -> httpx.Response:
        headers = {"Content-Type": content_type} if content_type is not None else {}
        return await client.post(MODEL, content=body, headers=headers | more)

    return posted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1e400",
        b"{",
        b"{}{}",
        b'{"prompt":}',
        b"{'prompt':'x'}",
        b"\xff\xfe",
        b"\x00",
        b'{"prompt":"\xff"}',
        b'{"prompt":"\xed\xa0\x80"}',
        b'{"prompt":"\\ud800"}',
        b'{"prompt":"\\udfff\\ud800"}',
        b'{"prompt":"x","\xff":1}',
        b'{"prompt":"x","a":"\xff"}',
        b'{"prompt":"\x00"}',
        b'{"prompt":"\n"}',
        b'{"prompt":null}',
        b'{"prompt":["x"]}',
        b'{"prompt":"x","num_images":NaN}',
        b'{"prompt":"x","num_images":-1}',
        b'{"prompt":"x","num_images":1.5}',
        b'{"prompt":"x","num_images":1e400}',
        b'{"prompt":"x","num_images":' + b"9" * 5_000 + b"}",
        b'{"prompt":"x","num_images":1,"num_images":5}',
        b'{"prompt":"x","num_\\u0069mages":5}',
        b'{"prompt":"x","quality":"low\\u0000"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 50_000 + b"]" * 50_000,
        b'{"prompt":' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"prompt":"x","a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_a_body_that_is_not_right_is_the_callers_to_mend(post: Post, body: bytes) -> None:
    answer = await post(body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == JSON
    issues = answer.json()["detail"]
    assert issues
    assert all({"type", "loc", "msg"} <= issue.keys() for issue in issues)
    assert answer.headers["x-fal-billable-units"] == "0"


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "text/json", "multipart/x", ";"])
async def test_a_body_that_does_not_claim_to_be_json_is_not_read_as_such(
    post: Post, content_type: str | None
) -> None:
    answer = await post(GOOD, content_type)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "model_attributes_type"


@pytest.mark.parametrize(
    "content_type",
    [JSON, "application/json; charset=utf-8", "APPLICATION/JSON", "application/a+json"],
)
async def test_json_by_any_of_its_names_is_read(post: Post, content_type: str) -> None:
    answer = await post(GOOD, content_type)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "prompt",
    [
        "\x00",
        "e\u0301 is not \u00e9",
        "\u202e\u2028\ufeff\U0001f5fc",
        '{"level":"error"}\n\x1b[31m',
        "x" * 32_000,
    ],
    ids=["NUL", "NFD", "odd", "injection", "long"],
)
async def test_a_prompt_may_be_any_text(post: Post, prompt: str) -> None:
    body = {"prompt": prompt, "quality": "low", "output_format": "jpeg"}
    written, escaped = [json.dumps(body, ensure_ascii=a).encode() for a in (False, True)]
    if prompt == "\x00":
        written = escaped
    bought, again = await post(written), await post(escaped)

    assert bought.status_code == 200
    assert again.headers["x-falgate-cache"] == "hit"


async def test_texts_that_look_alike_are_not_the_same_prompt(post: Post) -> None:
    for prompt in ("alike \u00e9", "alike e\u0301", "alike e\u0301\u200b"):
        body = {"prompt": prompt, "quality": "low", "output_format": "jpeg"}
        answer = await post(json.dumps(body).encode())
        assert answer.headers["x-falgate-cache"] == "miss"


async def test_the_last_of_two_equal_names_counts_for_price_and_pictures(post: Post) -> None:
    body = GOOD[:-1] + b',"num_images":4,"num_\\u0069mages":1}'
    answer = await post(body)

    assert answer.status_code == 200
    assert len(answer.json()["images"]) == 1


async def test_unknown_fields_are_left_out_and_counted(
    post: Post, client: httpx.AsyncClient
) -> None:
    async def dropped() -> float:
        found = [
            line.rpartition(" ")[2]
            for line in (await client.get("/metrics")).text.splitlines()
            if line.startswith("falgate_dropped_fields_total{")
        ]
        return float(found[0]) if found else 0.0

    before = await dropped()
    plain = await post(GOOD)
    extended = await post(GOOD[:-1] + b',"sead":1,"sync":2}')

    assert extended.content == plain.content
    assert await dropped() == before + 2


@pytest.fixture(scope="module")
def strict(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway that takes 200 bytes within a second."""
    folder = tmp_path_factory.mktemp("strict")
    with serve(folder, body_bytes_max="200", body_timeout_s="1") as served:
        yield served


def head(gateway: Any, *fields: str) -> bytes:
    """The head of a request for pictures, after which the connection is closed."""
    lines = (
        f"POST {MODEL} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Authorization: Key {gateway.key}",
        f"Content-Type: {JSON}",
        *fields,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def body_of(answer: bytes) -> Any:
    """The JSON in a raw reply."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


TOO_LARGE = {"detail": "The request body is larger than 200 bytes", "error_type": "bad_request"}


@pytest.mark.parametrize(
    "claimed", ["Content-Length: 201", "Content-Length: 99999999999", "Expect: 100-continue"]
)
async def test_a_body_that_says_it_is_too_large_is_not_waited_for(
    strict: Any, exchange: Callable[..., Awaitable[bytes]], claimed: str
) -> None:
    fields = [claimed] if "Length" in claimed else [claimed, "Content-Length: 201"]
    answer = await exchange(head(strict, *fields), host=strict.host)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert body_of(answer) == TOO_LARGE
    assert b"x-fal-request-id: " in answer
    assert b"content-type: application/json" in answer


async def test_a_chunked_body_is_too_large_as_soon_as_it_is(
    strict: Any, exchange: Callable[..., Awaitable[bytes]]
) -> None:
    pieces = [chunk(b" " * 100), chunk(b" " * 100), chunk(b" ")]
    answer = await exchange(head(strict, "Transfer-Encoding: chunked"), *pieces, host=strict.host)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert body_of(answer) == TOO_LARGE


@pytest.mark.parametrize("field", ["Content-Length: 200", "Transfer-Encoding: chunked"])
async def test_a_body_of_just_the_limit_is_read(
    strict: Any, exchange: Callable[..., Awaitable[bytes]], field: str
) -> None:
    body = GOOD.ljust(200)
    sent = body if "Length" in field else chunk(body[:120]) + chunk(body[120:]) + chunk(b"")
    answer = await exchange(head(strict, field), sent, host=strict.host)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_body_that_does_not_arrive_is_given_up(
    strict: Any, exchange: Callable[..., Awaitable[bytes]]
) -> None:
    answer = await exchange(head(strict, "Content-Length: 100"), GOOD, host=strict.host)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert body_of(answer)["detail"] == "The request body did not arrive within 1 s"
    assert b"connection: close" in answer


async def test_an_answer_may_take_longer_than_a_body_may(strict: Any) -> None:
    """The clock of the body stops with its end; the pictures of four purchases come later."""
    body = {"prompt": "slow", "num_images": 4, "image_size": "1536x1024"}
    async with strict.client() as client:
        answer = await client.post(MODEL, json=body)

    assert answer.status_code == 200


async def test_a_caller_that_leaves_within_its_body_is_no_error_of_ours(
    strict: Any, exchange: Callable[..., Awaitable[bytes]]
) -> None:
    del exchange
    async with strict.client() as client:

        async def content() -> Any:
            yield b'{"prompt"'
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            await client.post(MODEL, content=content())
        # Served after the reply to the one that left, on whose end this call waits.
        await client.get("/healthz")
        metrics = (await client.get("/metrics")).text

    assert 'route="run",status="400"' in metrics
    assert 'status="500"' not in metrics
    assert "request.failed" not in strict.logged()


async def test_a_body_that_takes_long_to_refuse_delays_nobody_else(
    post: Post, client: httpx.AsyncClient
) -> None:
    loop = asyncio.get_running_loop()
    began_s = last_s = loop.time()
    refusing = asyncio.ensure_future(post(b'{"prompt":[' + b"[[[[]]]]," * 100_000 + b"0]}"))
    longest_s = 0.0
    while not refusing.done():
        assert (await client.get("/healthz")).status_code == 200
        longest_s, last_s = max(longest_s, loop.time() - last_s), loop.time()
    whole_s = loop.time() - began_s

    assert (await refusing).status_code == 422
    assert longest_s < whole_s / 2

"""What a request says of its body: an encoding or a second type is refused, wherever it stands."""

import gzip
from collections.abc import Awaitable, Callable
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

    async def posted(body: bytes, content_type: str = JSON, **more: str) -> httpx.Response:
        return await client.post(
            MODEL, content=body, headers={"Content-Type": content_type, **more}
        )

    return posted


async def test_a_compressed_body_is_not_unpacked(post: Post) -> None:
    silent = await post(gzip.compress(GOOD))
    said = await post(gzip.compress(GOOD), **{"Content-Encoding": "gzip"})
    plain = await post(GOOD, **{"Content-Encoding": "identity"})

    assert (silent.status_code, said.status_code, plain.status_code) == (422, 415, 200)
    assert "gzip" in said.json()["detail"]
    assert said.json()["error_type"] == "bad_request"
    assert said.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        (["gzip", "identity"], 415),
        (["identity", "gzip"], 415),
        (["identity, gzip"], 415),
        (["identity", "identity"], 200),
        (["", "Identity ,"], 200),
    ],
)
async def test_all_lines_of_an_encoding_count_together(
    gateway: Any, codings: list[str], status: int
) -> None:
    headers = [("Content-Type", JSON), *(("Content-Encoding", each) for each in codings)]
    async with gateway.client() as client:
        answer = await client.post(MODEL, content=GOOD, headers=headers)
    assert answer.status_code == status, answer.text
    assert status == 200 or "gzip" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Encoding", "gzip"), ("Content-Encoding", "identity")],
        [("Content-Type", JSON), ("Content-Type", JSON)],
        [("Content-Type", f"{JSON}, text/plain")],
    ],
)
async def test_the_administration_reads_no_body_of_two_kinds_either(
    gateway: Any, headers: list[tuple[str, str]]
) -> None:
    async with gateway.admin() as admin:
        answer = await admin.post("/teams", content=b'{"name":"two-kinds"}', headers=headers)
        teams = (await admin.get("/teams")).json()["items"]

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert "two-kinds" not in [team["name"] for team in teams]


async def test_a_type_that_is_given_twice_is_named(post: Post) -> None:
    answer = await post(GOOD, "application/json, application/json")

    assert answer.status_code == 415
    assert "application/json, application/json" in answer.json()["detail"]

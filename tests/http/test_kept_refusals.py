"""Wrong input in the queue: kept in short, and not without end; and a Redis that is full."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

QUEUE = "/queue/fal-ai/gpt-image-1.5"
LARGE = "x" * 900_000


@pytest.fixture(scope="module")
def filled(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway whose Redis is filled, and whose app sends too much."""
    with serve(tmp_path_factory.mktemp("filled")) as served:
        yield served


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        ({"prompt": 1, "quality": LARGE}, "xxx"),
        ({"quality": "low", "more": [LARGE]}, '{"quality":"low","more":["xxx'),
    ],
)
async def test_a_kept_refusal_quotes_little(gateway: Any, body: Any, begins: str) -> None:
    async with gateway.client() as client:
        submitted = (await client.post(QUEUE, json=body)).json()
        result = await client.get(submitted["response_url"])
        at_once = await client.post(QUEUE.removeprefix("/queue"), json=body)
    redis = gateway.redis()
    try:
        kept_bytes = await redis.memory_usage(f"{{fg}}:request:{submitted['request_id']}")
    finally:
        await redis.aclose()

    assert (result.status_code, at_once.status_code) == (422, 422)
    assert kept_bytes < 8_000
    quoted = [each["input"] for each in result.json()["detail"] if str(each["input"]) != "1"]
    assert quoted
    for each in quoted:
        assert each.startswith(begins)
        assert each.endswith("...")
    # Told at once, it is whole, as at fal.
    assert len(at_once.content) > len(LARGE)
    assert [{**each, "input": 0} for each in result.json()["detail"]] == [
        {**each, "input": 0} for each in at_once.json()["detail"]
    ]


async def test_an_app_has_not_all_of_its_wrong_requests_kept(filled: Any) -> None:
    async with filled.client() as client:
        answers = await asyncio.gather(*(client.post(QUEUE, json={}) for _ in range(60)))
        refused = [answer for answer in answers if answer.status_code == 429]

        assert {answer.status_code for answer in answers} == {200, 429}
        assert len(refused) >= 20
        assert refused[0].headers["retry-after"]
        assert refused[0].json()["error_type"] == "rate_limit_exceeded"


async def test_a_redis_without_memory_refuses_new_work_and_says_so(filled: Any) -> None:
    body = {"prompt": "full", "quality": "low", "output_format": "jpeg"}
    redis = filled.redis()
    try:
        limit_bytes = (await redis.config_get("maxmemory"))["maxmemory"]
        async with filled.client() as client:
            hit = await client.post(QUEUE.removeprefix("/queue"), json=body)
            await redis.config_set("maxmemory", 1)
            again = await client.post(QUEUE.removeprefix("/queue"), json=body)
            more = {**body, "prompt": "new"}
            refused = await client.post(QUEUE.removeprefix("/queue"), json=more)
            queued = await client.post(QUEUE, json=more)
            await redis.config_set("maxmemory", limit_bytes)
            bought = await client.post(QUEUE.removeprefix("/queue"), json=more)
    finally:
        await redis.config_set("maxmemory", limit_bytes)
        await redis.aclose()

    assert int(limit_bytes) >= 64 * 1024 * 1024
    assert (hit.status_code, again.status_code, bought.status_code) == (200, 200, 200)
    for answer in (refused, queued):
        assert answer.status_code == 503
        assert "memory limit" in json.loads(answer.content)["detail"]
        assert int(answer.headers["retry-after"]) > 2

"""Alive and ready: what a gateway says of itself, and does, when Redis or the store is away."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.store.embedded import EmbeddedRedis

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "health", "quality": "low", "output_format": "jpeg"}
WHY = "falgate cannot reach its ledger now; ask again"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A server that the gateway does not watch over."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis") / "redis")
    server.start()
    yield server
    server.leave()


@pytest.fixture(scope="module")
def leaning(
    serve: Callable[..., AbstractContextManager[Any]],
    redis: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A gateway on that server, which has sold one picture."""
    with serve(tmp_path_factory.mktemp("leaning"), redis_url=redis.url) as served:
        headers = {"Authorization": f"Key {served.key}"}
        sold = httpx.post(
            f"{served.url}{MODEL}", json=BODY, headers=headers, trust_env=False, timeout=PATIENCE_S
        )
        assert sold.status_code == 200
        yield served


@contextmanager
def stopped(redis: EmbeddedRedis) -> Iterator[None]:
    """Without the server until the block ends."""
    redis.leave()
    try:
        yield
    finally:
        redis.start()


@contextmanager
def away(directory: Path) -> Iterator[None]:
    """Without the directory until the block ends: something else has its name."""
    moved = directory.rename(directory.with_name("moved"))
    directory.touch()
    try:
        yield
    finally:
        directory.unlink()
        moved.rename(directory)


async def test_a_gateway_with_all_that_it_needs_is_ready(leaning: Any) -> None:
    async with leaning.client() as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_says_the_same_without_a_body(
    leaning: Any, redis: EmbeddedRedis, path: str
) -> None:
    async with leaning.client() as client:
        with stopped(redis):
            away = [await client.request(method, path) for method in ("GET", "HEAD")]
        there = [await client.request(method, path) for method in ("GET", "HEAD", "GET")]

    for whole, head in (away, there[:2]):
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == whole.headers[name]
    assert there[2].status_code == 200


async def test_nobody_needs_a_key_to_ask_how_it_is(leaning: Any) -> None:
    async with httpx.AsyncClient(
        base_url=leaning.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        answers = [await stranger.get(path) for path in ("/healthz", "/readyz", "/metrics")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_without_redis_it_is_alive_and_not_ready_and_says_why(
    leaning: Any, redis: EmbeddedRedis
) -> None:
    async with leaning.client() as client:
        with stopped(redis):
            alive, ready = await client.get("/healthz"), await client.get("/readyz")
        again = await client.get("/readyz")

    assert alive.status_code == 200
    assert (ready.status_code, again.status_code) == (503, 200)
    assert ready.json() == {"status": "not ready", "troubles": {"redis": WHY}}
    assert ready.headers["content-type"] == "application/json"
    assert ready.headers["x-fal-request-id"]


async def test_without_redis_nobody_is_served_and_everybody_told_to_come_back(
    leaning: Any, redis: EmbeddedRedis
) -> None:
    async with leaning.client() as client:
        with stopped(redis):
            refused = [
                await client.post(path, json=BODY) for path in (MODEL, f"/run{MODEL}", "/fal-ai/x")
            ]
            junk = await client.post(MODEL, json=BODY, headers={"Authorization": "Key junk"})
        again = await client.post(MODEL, json=BODY)

    for answer in refused:
        assert answer.status_code == 503
        assert answer.json() == {"detail": WHY, "error_type": "internal_error"}
        assert answer.headers["retry-after"] == "2"
        assert answer.headers["x-fal-error-type"] == "internal_error"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-fal-request-id"]
        assert leaning.redis_url not in answer.text
    assert junk.status_code == 401
    assert again.headers["x-falgate-cache"] == "hit"


async def test_without_redis_metrics_are_what_the_process_counted(
    leaning: Any, redis: EmbeddedRedis
) -> None:
    async with leaning.client() as client:
        full = (await client.get("/metrics")).text
        with stopped(redis):
            part = await client.get("/metrics")

    assert part.status_code == 200
    assert 'falgate_answers_total{model="fal-ai/gpt-image-1.5",source="miss"} 1.0' in part.text
    assert "falgate_spent_micros{" in full
    assert "falgate_spent_micros{" not in part.text


async def test_pictures_are_shown_without_redis(leaning: Any, redis: EmbeddedRedis) -> None:
    async with leaning.client() as client:
        url = (await client.post(MODEL, json=BODY)).json()["images"][0]["url"]
        with stopped(redis):
            shown = await client.get(url)

    assert shown.status_code == 200
    assert shown.content.startswith(b"\xff\xd8")


async def test_without_its_store_it_is_not_ready_and_buys_nothing(leaning: Any) -> None:
    async with leaning.client() as client:
        with away(leaning.data / "media"):
            ready = await client.get("/readyz")
            refused = await client.post(MODEL, json=BODY)
        again = await client.post(MODEL, json=BODY)

    why = "The picture store is not available"
    assert (ready.status_code, ready.json()["troubles"]) == (503, {"store": why})
    assert (refused.status_code, refused.json()["detail"]) == (503, why)
    assert refused.headers["retry-after"] == "2"
    assert str(leaning.data) not in ready.text + refused.text
    assert again.headers["x-falgate-cache"] == "hit"

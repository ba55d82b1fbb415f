"""Alive and ready: what a gateway says of itself, and does, when Redis or the store is away."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.redis.embedded import EmbeddedRedis

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "health", "quality": "low", "output_format": "jpeg"}
WHY = "falgate cannot reach its ledger now; try again"


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


async def ready_as(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """How ready it is once it has this status: what was found is told for a second."""
    async with asyncio.timeout(10):
        while True:
            answer = await client.get("/readyz")
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.05)


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
            await ready_as(client, 503)
            away = [await client.request(method, path) for method in ("GET", "HEAD")]
        await ready_as(client, 200)
        there = [await client.request(method, path) for method in ("GET", "HEAD")]

    for whole, head in (away, there):
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == whole.headers[name]


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
            alive, ready = await client.get("/healthz"), await ready_as(client, 503)
        await ready_as(client, 200)

    assert alive.status_code == 200
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
    counted = 'falgate_answers_total{app="app",model="fal-ai/gpt-image-1.5",source="miss",team='
    assert f'{counted}"default"}} 1.0' in part.text
    assert "falgate_spent_usd{" in full
    assert "falgate_spent_usd{" not in part.text


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
            ready = await ready_as(client, 503)
            await asyncio.sleep(1.1)  # one look at the store serves a second's purchases
            refused = await client.post(MODEL, json={**BODY, "prompt": "another"})
            hit = await client.post(MODEL, json=BODY)
        await ready_as(client, 200)

    why = "The picture store is not available"
    assert (ready.status_code, ready.json()["troubles"]) == (503, {"store": why})
    assert (refused.status_code, refused.json()["detail"]) == (503, why)
    assert refused.headers["retry-after"] == "2"
    assert str(leaning.data) not in ready.text + refused.text
    assert (hit.status_code, hit.headers["x-falgate-cache"]) == (200, "hit")


async def test_asking_how_it_is_writes_nothing_and_looks_once_a_second(leaning: Any) -> None:
    store = leaning.data / "media"
    async with leaning.client() as client, contextlib.aclosing(leaning.redis()) as redis:

        async def looks() -> int:
            stats = await redis.info("commandstats")
            return int(stats["cmdstat_info"]["calls"])

        await client.get("/readyz")
        written = {path: path.stat().st_mtime_ns for path in (store, *store.iterdir())}
        before, began_s = await looks(), time.monotonic()
        for _ in range(20):
            await asyncio.gather(*(client.get("/readyz") for _ in range(10)))
        seconds, after = time.monotonic() - began_s, await looks()

    assert {path: path.stat().st_mtime_ns for path in (store, *store.iterdir())} == written
    # A look asks for two parts of it, and so does the watch over Redis's history each second; the
    # look of this test is one, too.
    assert after - before <= 4 * (seconds + 1) + 1


@pytest.fixture
def full(serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path) -> Iterator[Any]:
    """A gateway that has room for less than one picture."""
    with serve(tmp_path, picture_bytes_max="1") as served:
        yield served


async def test_a_full_store_is_a_gauge_and_hands_out_what_is_in_it(full: Any) -> None:
    async with full.client() as client:
        bought = await client.post(MODEL, json=BODY)
        ready, told = await client.get("/readyz"), (await client.get("/metrics")).text
        hit = await client.post(MODEL, json=BODY)
        async with asyncio.timeout(10):  # that there is room is known for a second
            while True:
                body = {**BODY, "prompt": f"no room {time.monotonic()}"}
                refused = await client.post(MODEL, json=body)
                if refused.status_code != 200:
                    break

    assert (bought.status_code, hit.headers["x-falgate-cache"]) == (200, "hit")
    assert (ready.status_code, refused.status_code) == (200, 503)
    assert "falgate_store_full 1.0" in told.splitlines()

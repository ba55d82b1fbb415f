"""The request log and Redis: what cannot be logged is dropped and counted, and nobody waits."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from serving import MODEL

from falgate.redis import keyspace
from falgate.redis.embedded import EmbeddedRedis

BODY = {"prompt": "a lamp", "quality": "low"}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)


async def unlogged(client: httpx.AsyncClient) -> float:
    """How many requests could not be logged for want of Redis."""
    metrics = (await client.get("/metrics")).text
    name = 'falgate_requests_unlogged_total{why="redis"} '
    (line,) = [each for each in metrics.splitlines() if each.startswith(name)]
    return float(line.removeprefix(name))


async def test_a_log_that_cannot_be_written_hinders_no_request(
    administered: Any,
    admin: httpx.AsyncClient,
    team: str,
    hire: Callable[..., Awaitable[Any]],
    buy: Callable[..., Awaitable[httpx.Response]],
) -> None:
    key = (await hire())["key"]
    async with administered.redis() as redis, administered.client() as client:
        before = await unlogged(client)
        await redis.set(keyspace.request_log("bought", team), "no stream", px=60_000)
        bought, hit = await buy(key), await buy(key)

        async def dropped() -> bool:
            return await unlogged(client) > before

        await until(dropped)

    assert (bought.status_code, hit.status_code) == (200, 200)
    assert hit.headers["x-falgate-cache"] == "hit"
    assert (await admin.get(f"/requests/{bought.headers['x-fal-request-id']}")).status_code == 404


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server that can go away."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.leave()


@pytest.fixture
def leaning(
    redis: EmbeddedRedis, serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> Iterator[Any]:
    """A gateway on that server."""
    with serve(tmp_path, redis_url=redis.url) as served:
        yield served


async def test_requests_are_logged_again_after_an_outage(
    redis: EmbeddedRedis, leaning: Any
) -> None:
    async with leaning.client() as client, leaning.admin() as admin:
        assert (await client.post(MODEL, json=BODY)).status_code == 200
        redis.leave()
        refused = await client.post(MODEL, json={**BODY, "num_images": 2})

        async def dropped() -> bool:
            return await unlogged(client) >= 1

        await until(dropped)
        redis.start()
        answers = list[httpx.Response]()

        async def answered() -> bool:
            answers.append(await client.post(MODEL, json=BODY))
            return answers[-1].status_code == 200

        await until(answered)

        async def logged() -> bool:
            found = await admin.get(f"/requests/{answers[-1].headers['x-fal-request-id']}")
            return bool(found.status_code == 200)

        await until(logged)

    assert refused.status_code == 503

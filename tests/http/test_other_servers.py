"""The application is plain ASGI: other servers can run it, with fewer promises to its clients."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import httpx
import pytest
import uvicorn
from patience import PATIENCE_S, TRIP_S

from falgate import settings
from falgate.accounts import apikey
from falgate.accounts.directory import App, Team
from falgate.accounts.store.registry import Registry
from falgate.admin.service import AdminService
from falgate.app import open_gateway
from falgate.core.calendar import Calendar
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.redis.client import connect
from falgate.redis.embedded import EmbeddedRedis

MODEL = "/fal-ai/gpt-image-1.5"
WISH = {"prompt": "a lighthouse", "quality": "low", "output_format": "jpeg"}
START_S = PATIENCE_S


async def _key(redis_url: str) -> str:
    redis = connect(redis_url, timeout_s=TRIP_S)
    books = Budgets(redis, Calendar(UTC))
    admin = AdminService(
        Registry(redis), books, Stops(redis), who="tests", upstreams={}, models=MODELS
    )
    try:
        await admin.teams.create("web", Team())
        await admin.apps.create("web/shop", App())
        return (await admin.keys.create("web/shop")).key
    finally:
        await redis.aclose()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that uvicorn serves."""
    admin_key = apikey.mint("admin", os.urandom(apikey.ID_BYTES), os.urandom(apikey.SECRET_BYTES))
    chosen = settings.read(
        {
            "FALGATE_DATA_DIR": str(tmp_path),
            "FALGATE_UPSTREAM_URL": "sandbox",
            "FALGATE_ADMIN_KEY": admin_key,
        }
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with open_gateway(chosen) as gateway:
            key = await _key(EmbeddedRedis(tmp_path / "redis").url)
            config = uvicorn.Config(gateway.app, log_config=None, lifespan="off")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            # The socket listens already: a call waits in its backlog until the server is there.
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
                headers={"Authorization": f"Key {key}"},
                timeout=START_S,
                trust_env=False,
            ) as asking:
                yield asking
            server.should_exit = True
            await serving


async def test_uvicorn_serves_a_purchase_a_hit_and_a_stream(client: httpx.AsyncClient) -> None:
    bought = await client.post(MODEL, json=WISH)
    found = await client.post(MODEL, json=WISH)
    submitted = await client.post(f"/queue{MODEL}", json={**WISH, "prompt": "another"})
    async with client.stream("GET", f"{submitted.json()['status_url']}/stream") as stream:
        lines = [line async for line in stream.aiter_lines() if line.startswith("data: ")]

    assert [each.status_code for each in (bought, found, submitted)] == [200, 200, 200]
    assert [each.headers["x-falgate-cache"] for each in (bought, found)] == ["miss", "hit"]
    assert bought.json()["images"] == found.json()["images"]
    assert json.loads(lines[-1][6:])["status"] == "COMPLETED"

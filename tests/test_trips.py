"""How often a request goes to Redis and back: its caller waits for each trip."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S, TRIP_S

from falgate import settings
from falgate.app import open_gateway
from falgate.redis.bounded import Trips
from falgate.redis.shared import SharedLine

HIT_TRIPS, MISS_TRIPS = 1, 11
MODEL = "/fal-ai/gpt-image-1.5"
NAMES: ContextVar[list[str]] = ContextVar("names")
"""The trips of a request, and of every task that was begun for it."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes each trip, on the shared line or not, where the request that it is for is known."""
    within, ask = Trips.within, SharedLine.ask

    def note(name: str) -> None:
        if (names := NAMES.get(None)) is not None:
            names.append(name)

    async def noted(self: Trips, trip: Coroutine[Any, Any, Any], trip_ms: int) -> Any:
        note(getattr(trip, "__qualname__", "?"))
        return await within(self, trip, trip_ms)

    async def asked(self: SharedLine, commands: Sequence[tuple[Any, ...]], trip_s: float) -> Any:
        replies = await ask(self, commands, trip_s)
        note(" ".join(str(part)[:40] for part in commands[0][:4]))
        return replies

    monkeypatch.setattr(Trips, "within", noted)
    monkeypatch.setattr(SharedLine, "ask", asked)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a whole gateway in this process, on its own Redis and with the sandbox."""
    env = {
        "FALGATE_DATA_DIR": str(tmp_path / "data"),
        "FALGATE_UPSTREAM_URL": "sandbox",
        "FALGATE_SANDBOX_WORK_S": "0",
        "FALGATE_REDIS_TIMEOUT_S": str(TRIP_S),
    }
    (tmp_path / "data").mkdir(mode=0o700)
    async with open_gateway(settings.read(env)) as gateway:
        administration = gateway.administration("tests")
        made = await administration.keys.create("default/default", kind="live")
        app: Any = gateway.app
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Key {made.key}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", headers=headers, timeout=PATIENCE_S
        ) as asking:
            yield asking


async def trips(client: httpx.AsyncClient, prompt: str, cache: str) -> list[str]:
    """What a request and all that is done for it asks Redis, until nothing is left to do."""

    async def ask() -> list[str]:
        names: list[str] = []
        NAMES.set(names)
        before = asyncio.all_tasks()
        answer = await client.post(MODEL, json={"prompt": prompt, "quality": "low"})
        assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, cache)
        if left := asyncio.all_tasks() - before - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=1)
        return names

    return await asyncio.create_task(ask())


@pytest.mark.usefixtures("counted")
async def test_a_miss_makes_few_trips_and_a_hit_one(client: httpx.AsyncClient) -> None:
    await trips(client, "the first one, which opens connections", "miss")

    miss = await trips(client, "a second one", "miss")
    hit = await trips(client, "a second one", "hit")

    assert len(miss) == MISS_TRIPS, miss
    assert len(hit) == HIT_TRIPS, hit

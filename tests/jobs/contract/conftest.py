"""Each test of the contract on both sides: on the fakes in memory and on a real server."""

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from contents import contents
from redis.asyncio import Redis
from sides import InMemory, OnRedis, Side
from two_servers import SERVERS


@pytest.fixture(scope="session", params=["memory", *SERVERS])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a server listens; nowhere for the fakes."""
    if request.param == "memory":
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="fg-") as directory:
        yield from SERVERS[request.param](Path(directory))


@pytest.fixture
def side(url: str, request: pytest.FixtureRequest) -> Side:
    """One side of the contract, empty but for a budget of 1,000 micro-USD a day."""
    names = ("redis", "jobs_of") if url else ("new_memory",)
    found = [request.getfixturevalue(name) for name in names]
    return OnRedis(*found) if url else InMemory(*found[0]())


@pytest.fixture
async def empty(redis: Redis, ledger_id: str) -> Callable[[], Awaitable[None]]:
    """A function that leaves nothing in Redis but the books, opened anew."""
    assert ledger_id
    before = await contents(redis)

    async def empty() -> None:
        await redis.delete(*{*await contents(redis)} - {*before}, "none")
        for key, fields in before.items():
            if isinstance(fields, dict):
                await redis.delete(key)
                await redis.hset(key, mapping=fields)

    return empty

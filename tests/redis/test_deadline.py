"""A Redis that hangs: whoever asks it is answered within one deadline, and later ones are right."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import TimeoutError as TookTooLong
from servers import Server

from falgate.accounts.store.registry import Registry
from falgate.core.errors import Unavailable
from falgate.jobs.store.wakes import listen
from falgate.redis.bounded import BoundedRedis, Trips
from falgate.redis.client import connect
from falgate.redis.script import Script

TRIP_S = 1

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
Ask = Callable[[Redis], Awaitable[Any]]


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Redis]:
    async with connect(server.url, timeout_s=TRIP_S) as client:
        await client.set("before", "1")
        yield client


async def pipelined(redis: Redis) -> Any:
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.get("a")
        pipeline.time()
        return await pipeline.execute()


ASKED: dict[str, Ask] = {
    "command": lambda redis: redis.get("a"),
    "pipeline": pipelined,
    "script": Script("rates_take"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_a_trip_to_a_server_that_hangs_ends_at_its_deadline(
    asked: str, server: Server, client: Redis
) -> None:
    server.process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()

    with pytest.raises(Unavailable) as late:
        await ASKED[asked](client)
    assert isinstance(late.value.__cause__, TookTooLong)

    # Four tries of a socket's time-out, as redis-py makes them, would be many times as long.
    assert time.monotonic() - began_s < TRIP_S * 10


async def test_a_crowd_waits_no_longer_than_one(server: Server, client: Redis) -> None:
    server.process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()

    found = await asyncio.gather(
        *(Registry(client).key("k") for _ in range(300)), return_exceptions=True
    )

    assert {type(each) for each in found} == {Unavailable}
    assert time.monotonic() - began_s < TRIP_S * 10


async def test_a_late_reply_is_nobody_s(server: Server, client: Redis) -> None:
    await asyncio.gather(*(client.set(f"k{number}", number) for number in range(20)))
    server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(Unavailable) as late:
        await asyncio.gather(*(client.get("before") for _ in range(20)))
    assert isinstance(late.value.__cause__, TookTooLong)
    server.process.send_signal(signal.SIGCONT)

    found = await asyncio.gather(*(client.get(f"k{number}") for number in range(20)))

    assert found == [str(number) for number in range(20)]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_trip_that_has_no_reply_at_all_is_given_up(server: Server, until: Until) -> None:
    """Else a server that hangs for long would have a connection of ours for each trip."""
    before = open_files()
    pool = BlockingConnectionPool.from_url(server.url, max_connections=2, socket_timeout=None)
    async with BoundedRedis(connection_pool=pool, late_ms=100) as client:
        await asyncio.gather(client.set("a", "1"), client.set("b", "2"))
        assert open_files() == before + 2
        client.trip_ms = 100
        server.process.send_signal(signal.SIGSTOP)
        for found in await asyncio.gather(client.get("a"), client.get("b"), return_exceptions=True):
            assert isinstance(found, Unavailable)
            assert isinstance(found.__cause__, TookTooLong)

        async def closed() -> bool:
            return open_files() == before

        await until(closed)
        server.process.send_signal(signal.SIGCONT)
        client.trip_ms = round(PATIENCE_S * 1000)
        assert await client.get("b") == b"2"
        assert await client.get("a") == b"1"
    await pool.disconnect()


async def test_a_trip_that_loses_its_cancellation_is_cancelled_again(until: Until) -> None:
    cancelled, over = 0, asyncio.Event()

    async def deaf() -> None:
        nonlocal cancelled
        while cancelled < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1
        over.set()

    with pytest.raises(TookTooLong):
        await Trips(late_ms=10).within(deaf(), 10)

    async def ended() -> bool:
        return over.is_set()

    await until(ended)
    assert cancelled == 2


async def test_who_listens_may_wait_for_longer(server: Server, client: Redis) -> None:
    assert server.process.poll() is None
    heard, listening = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(listen(client, lambda _: heard.set(), lambda _: None, listening.set))
    await listening.wait()
    listening.clear()
    # As long as several trips may take: the subscription is not made again.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listening.wait(), 3 * TRIP_S)

    await client.publish("fg:wake", "a")

    await asyncio.wait_for(heard.wait(), 10)
    task.cancel()
    await asyncio.wait([task])

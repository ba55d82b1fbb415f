"""A Redis that hangs: whoever asks it is answered within one deadline, and later ones are right."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as TookTooLong
from servers import Server, served

from falgate.core.errors import Unavailable
from falgate.store._script import Script
from falgate.store.connect import connect
from falgate.store.registry import Registry
from falgate.store.wakes import listen

TRIP_S = 1

Ask = Callable[[Redis], Awaitable[Any]]


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as server:
        yield server


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

    with pytest.raises(TookTooLong):
        await ASKED[asked](client)

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
    with pytest.raises(TookTooLong):
        await asyncio.gather(*(client.get("before") for _ in range(20)))
    server.process.send_signal(signal.SIGCONT)

    found = await asyncio.gather(*(client.get(f"k{number}") for number in range(20)))

    assert found == [str(number) for number in range(20)]


async def test_who_listens_may_wait_for_longer(server: Server, client: Redis) -> None:
    assert server.process.poll() is None
    heard, listening = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(listen(client, lambda _: heard.set(), listening.set))
    await listening.wait()
    listening.clear()
    # As long as several trips may take: the subscription is not made again.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listening.wait(), 3 * TRIP_S)

    await client.publish("fg:wake", "a")

    await asyncio.wait_for(heard.wait(), 10)
    task.cancel()
    await asyncio.wait([task])

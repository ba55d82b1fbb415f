"""The line that scripts and plain reads share: right replies, and redis-py where it has none."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from servers import Server

from falgate.core.errors import Unavailable
from falgate.redis import keyspace
from falgate.redis.client import connect
from falgate.redis.script import Script

TAKE = Script("rates_take")
TRIP_S = 1

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


async def take(client: Redis, account: str, limit: int) -> Any:
    """A script whose reply depends on what it is given: nothing below the limit."""
    return await TAKE(client, more_keys=[keyspace.rate(account)], more_args=[limit])


async def lines(client: Redis) -> list[str]:
    """Ids of the shared lines that the server has."""
    return [each["id"] for each in await client.client_list() if each["name"] == "falgate"]


@pytest.fixture
async def client(server: Server, until: Until) -> AsyncIterator[Redis]:
    """A client whose line is there."""
    async with connect(server.url, timeout_s=TRIP_S) as client:

        async def there() -> bool:
            await take(client, "key:warm", 1_000)
            return len(await lines(client)) == 1

        await until(there)
        yield client


async def test_replies_of_scripts_and_reads_go_to_those_who_asked(client: Redis) -> None:
    for number in range(100):
        await client.hset(f"fg:pool:{{{number}}}", mapping={"generation": str(number)})

    async def read(number: int) -> Any:
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.hmget(f"fg:pool:{{{number}}}", ["generation", "pictures"])
            pipeline.hget(f"fg:pool:{{{number}}}", "generation")
            pipeline.time()
            return await pipeline.execute()

    reads = [read(number) for number in range(100)]
    taken = [take(client, f"key:{number % 2}", 1) for number in range(100)]
    found = await asyncio.gather(*reads, *taken)

    for number, (fields, generation, (seconds, micros)) in enumerate(found[:100]):
        assert fields == [str(number), None]
        assert generation == str(number)
        assert isinstance(seconds, int)
        assert isinstance(micros, int)
    assert found[100:].count([]) >= 2, "one of each account has room"
    assert len(await lines(client)) == 1


async def test_a_script_that_the_server_forgot_is_sent_again(client: Redis) -> None:
    await client.script_flush()
    assert not await take(client, "key:a", 10)
    assert not await take(client, "key:a", 10)


async def test_an_error_is_worded_as_without_the_line(client: Redis) -> None:
    await client.hset(keyspace.rate("key:a"), "not", "a string")
    with pytest.raises(Unavailable):
        await take(client, "key:a", 10)
    assert not await take(client, "key:b", 10)


async def test_a_line_that_is_lost_costs_no_caller_its_reply(client: Redis, until: Until) -> None:
    (before,) = await lines(client)

    async def kill() -> None:
        await client.client_kill_filter(_id=before)

    replies = await asyncio.gather(
        kill(), *(take(client, f"key:{number}", 1_000) for number in range(200))
    )
    assert not any(replies[1:])

    async def another() -> bool:
        await take(client, "key:warm", 1_000)
        return [each for each in await lines(client) if each != before] != []

    await until(another)


async def test_a_server_that_hangs_is_waited_for_once_and_then_left(
    client: Redis, server: Server
) -> None:
    server.process.send_signal(signal.SIGSTOP)
    found = await asyncio.gather(
        *(take(client, f"key:{number}", 1_000) for number in range(50)), return_exceptions=True
    )
    server.process.send_signal(signal.SIGCONT)

    assert {type(each) for each in found} == {Unavailable}
    assert not await take(client, "key:after", 1_000)


async def test_a_cancelled_caller_goes_when_its_script_has_ended(
    client: Redis, server: Server
) -> None:
    """What it does next may undo what the script does."""
    server.process.send_signal(signal.SIGSTOP)
    asking = asyncio.ensure_future(take(client, "key:a", 1))
    await asyncio.sleep(0.05)
    asking.cancel()
    await asyncio.sleep(0.05)
    assert not asking.done()
    server.process.send_signal(signal.SIGCONT)

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await client.exists(keyspace.rate("key:a"))

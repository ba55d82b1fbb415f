"""News of changes: what was read is used while it is certainly current, and not a moment longer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from servers import Server
from structlog.testing import capture_logs

from falgate.core.errors import Unavailable
from falgate.redis.client import connect
from falgate.redis.clock import Clock, now_ms
from falgate.redis.tracking import CURRENT_S, Tracking

PREFIXES = ("fg:pool:", "{fg}:directory")
WITNESS = ("{fg}:meta", "id")
SECRET = "hunter2"

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


class Followed:
    """A tracking that runs, and all that it told."""

    def __init__(self, redis: Redis) -> None:
        self.clock = Clock()
        self.tracking = Tracking(redis, PREFIXES, WITNESS, self.clock)
        self.told = list[bytes | None]()
        self.tracking.listen(self._note)

    def _note(self, names: Iterable[bytes] | None) -> None:
        self.told += [None] if names is None else list(names)

    async def is_current(self) -> bool:
        """Whether what was read is current."""
        return self.tracking.is_current

    async def is_outdated(self) -> bool:
        """Whether it is not."""
        return not self.tracking.is_current

    def heard(self, name: bytes | None) -> Callable[[], Awaitable[bool]]:
        """What tells whether it was told of something."""

        async def look() -> bool:
            return name in self.told

        return look


@asynccontextmanager
async def following(redis: Redis) -> AsyncIterator[Followed]:
    """Follow changes for as long as a block."""
    followed = Followed(redis)
    running = asyncio.create_task(followed.tracking.run())
    try:
        yield followed
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Redis]:
    async with connect(server.url, timeout_s=1) as client:
        await client.set("before", "1")
        yield client


async def test_a_change_is_told_after_the_reply_that_did_not_see_it(
    until: Until, client: Redis
) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        for number in range(50):
            reading = asyncio.ensure_future(followed.tracking.ask("GET", f"fg:pool:{number}"))
            await client.set(f"fg:pool:{number}", "new")
            seen = await reading
            assert seen in {None, b"new"}
            await until(followed.heard(b"fg:pool:%d" % number))


async def test_only_what_begins_with_a_prefix_is_told(until: Until, client: Redis) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        await client.set("fg:wool", "1")
        await client.hset("{fg}:directory", "revision", "2")
        await until(followed.heard(b"{fg}:directory"))

    assert b"fg:wool" not in followed.told


async def test_an_emptied_server_is_a_change_of_everything(until: Until, client: Redis) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        followed.told.clear()
        await client.flushall()
        await until(followed.heard(None))
        assert followed.tracking.is_current


async def test_other_data_in_the_same_place_is_a_change_of_everything(
    until: Until, client: Redis
) -> None:
    """As by SWAPDB, of which Redis sends no news."""
    await client.hset(WITNESS[0], WITNESS[1], "ours")
    async with following(client) as followed:
        await until(followed.is_current)
        followed.told.clear()
        await client.swapdb(0, 1)
        await until(followed.heard(None))
        followed.told.clear()
        await client.swapdb(0, 1)
        await until(followed.heard(None))
        assert followed.tracking.is_current


async def test_the_clock_is_redis_s(until: Until, client: Redis) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        assert abs(followed.clock.now_ms() - await now_ms(client)) < 1_000


async def test_a_server_that_hangs_ends_all_trust_and_all_waiting(
    until: Until, client: Redis, server: Server
) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        loop = asyncio.get_running_loop()
        server.process.send_signal(signal.SIGSTOP)
        until_s = loop.time() + CURRENT_S
        try:
            with pytest.raises(Unavailable):
                await followed.tracking.ask("GET", "fg:pool:1")
            assert followed.tracking.current_until_s <= until_s
            await until(followed.is_outdated)
        finally:
            server.process.send_signal(signal.SIGCONT)
        await until(followed.heard(None))
        await until(followed.is_current)
        assert await followed.tracking.ask("GET", "before") == b"1"


async def test_a_lost_connection_is_a_change_of_everything_and_is_made_again(
    until: Until, client: Redis
) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        followed.told.clear()
        for each in await client.client_list():
            if "t" in each["flags"] or "B" in each["flags"]:
                await client.client_kill_filter(_id=each["id"])
        await until(followed.heard(None))
        await until(followed.is_current)
        await client.set("fg:pool:1", "1")
        await until(followed.heard(b"fg:pool:1"))
        assert followed.tracking.is_current


async def test_without_a_server_nothing_can_be_asked(client: Redis, server: Server) -> None:
    server.process.kill()
    async with following(client) as followed:
        with pytest.raises(Unavailable):
            await followed.tracking.ask("GET", "before")
        assert not followed.tracking.is_current


async def test_a_command_that_is_refused_is_an_error_of_its_caller_alone(
    until: Until, client: Redis
) -> None:
    async with following(client) as followed:
        await until(followed.is_current)
        with pytest.raises(Unavailable):
            await followed.tracking.ask("HGET", "before", "field")
        assert await followed.tracking.ask("GET", "before") == b"1"


@pytest.mark.parametrize(
    ("rights", "fine"),
    [
        ("+@all -@dangerous ~{fg*}:* ~fg:* &fg:*", True),
        ("+@all -client|tracking ~{fg*}:* ~fg:* &fg:*", False),
    ],
    ids=["documented", "without-tracking"],
)
async def test_a_user_without_the_right_is_told_of_once(
    rights: str, fine: bool, until: Until, client: Redis, server: Server
) -> None:
    command = "ACL", "SETUSER", "tenant", "reset", "on", f">{SECRET}", *rights.split()
    await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py's
    url = server.url.replace("://", f"://tenant:{SECRET}@")
    with capture_logs() as logged:
        async with connect(url) as tenant, following(tenant) as followed:
            if fine:
                await until(followed.is_current)
            else:
                await asyncio.sleep(1.2)  # for two attempts
                assert not followed.tracking.is_current
    lost = [each for each in logged if each["event"] == "tracking.lost"]
    assert len(lost) == (not fine)
    assert all("client|tracking" in each["problem"] for each in lost)
    assert SECRET not in str(logged)


async def test_replies_are_for_those_who_asked(until: Until, client: Redis) -> None:
    async with client.pipeline(transaction=False) as pipeline:
        for number in range(500):
            pipeline.set(f"fg:pool:{number}", number)
        await pipeline.execute()
    async with following(client) as followed:
        await until(followed.is_current)
        asked: Any = [followed.tracking.ask("GET", f"fg:pool:{each}") for each in range(500)]
        asking = [asyncio.ensure_future(each) for each in asked]
        for each in asking[::7]:
            each.cancel()
        found = await asyncio.gather(*asking, return_exceptions=True)

    for number, reply in enumerate(found):
        assert number % 7 == 0 or reply == str(number).encode()

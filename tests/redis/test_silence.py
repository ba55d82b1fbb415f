"""A connection that only listens notices that nobody is there any more."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from servers import Server

from falgate.jobs.store import wakes
from falgate.redis import keyspace, line
from falgate.redis.client import connect
from falgate.redis.line import Line

TRIP_S = 1

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


async def test_who_waits_for_wake_ups_listens_anew_after_a_silence(
    server: Server, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_BEAT_S", "_LATE_S", "_PAUSE_S"):
        monkeypatch.setattr(wakes, name, 0.05)
    heard: list[str] = []
    missed: list[int] = []
    tries: list[int] = []

    def woken(name: str) -> None:
        heard.append(name)

    async def counted(*args: Any) -> Line:
        tries.append(1)
        return await line.connect(*args)

    monkeypatch.setattr(wakes, "connect", counted)

    async with connect(server.url, timeout_s=TRIP_S) as client:
        listening = wakes.listen(client, woken, woken, lambda: missed.append(1))
        task = asyncio.create_task(listening)

        async def counts(what: list[int], times: int) -> None:
            async def look() -> bool:
                return len(what) >= times

            await until(look)

        await counts(missed, 1)
        # No connection ends by this; only nothing is said any more.
        server.process.send_signal(signal.SIGSTOP)
        await counts(tries, 2)
        server.process.send_signal(signal.SIGCONT)
        await counts(missed, 2)
        await client.publish(keyspace.WAKE, "a")

        async def woke() -> bool:
            return heard == ["a"]

        await until(woke)
        assert (heard, len(missed)) == (["a"], 2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

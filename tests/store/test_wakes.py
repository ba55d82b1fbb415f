"""Wake-ups: whoever waits for a job hears that it has ended or is in trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.core.claim import Seen
from falgate.core.job import Job, Order, State
from falgate.core.outcome import Settlement
from falgate.store import _keys, wakes
from falgate.store.connect import connect
from falgate.store.jobs import Jobs

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def brought(
    bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> Callable[[State], Awaitable[Job]]:
    """Brings job a to a state."""
    return lambda state: bring(order("a"), state)


@pytest.fixture
def missed() -> list[int]:
    """How often that instance was told that it may have missed something."""
    return []


@pytest.fixture
async def heard(
    redis: Redis, url: str, until: Until, missed: list[int]
) -> AsyncIterator[list[str]]:
    """What another instance hears from now on."""
    messages: list[str] = []
    async with connect(url, timeout_s=TRIP_S) as listener:
        listening = wakes.listen(listener, messages.append, lambda: missed.append(1))
        task = asyncio.create_task(listening)
        await until(lambda: _listening(redis))
        yield messages
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _listening(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub(_keys.WAKE)) == {_keys.WAKE: 1}


ENDS: dict[str, tuple[State, Callable[[Jobs, Job], Awaitable[None]]]] = {
    "released": (
        "reserved",
        lambda jobs, job: jobs.settle(job, Settlement(state="released", charge=0)),
    ),
    "finished": ("paid", lambda jobs, job: jobs.finish(job, (), Seen(7, 1))),
    "in_trouble": ("submitting", lambda jobs, job: jobs.doubt(job, "lost")),
}


@pytest.mark.parametrize("name", ENDS)
async def test_an_end_or_a_doubt_is_heard_by_others(
    name: str,
    jobs: Jobs,
    brought: Callable[[State], Awaitable[Job]],
    heard: list[str],
    until: Until,
) -> None:
    state, end = ENDS[name]
    job = await brought(state)

    async def told(times: int) -> None:
        async def look() -> bool:
            return heard == ["a"] * times

        await until(look)

    # That it has its turn was the first message.
    await told(1)
    await end(jobs, job)
    await told(2)

    assert heard == ["a", "a"]


async def test_who_lost_the_connection_listens_again_and_knows_that_it_missed_something(
    *,
    redis: Redis,
    heard: list[str],
    missed: list[int],
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert missed == [1]
    monkeypatch.setattr(wakes, "_PAUSE_S", 0.01)

    assert await redis.client_kill_filter(_type="pubsub") == 1

    async def told() -> bool:
        await redis.publish(_keys.WAKE, "b")
        return "b" in heard

    await until(told)
    assert set(heard) == {"b"}
    assert missed == [1, 1]

"""Wake-ups: whoever waits for a job hears that it has ended or is in trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.fal.progress import Progress
from falgate.jobs.job import Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store import wakes
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.redis import keyspace
from falgate.redis.client import connect

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
        listening = wakes.listen(
            listener,
            lambda name: messages.append(f"wake {name}"),
            lambda name: messages.append(f"moved {name}"),
            lambda: missed.append(1),
        )
        task = asyncio.create_task(listening)
        await until(lambda: _listening(redis))
        yield messages
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _listening(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub(keyspace.MOVED)) == {keyspace.MOVED: 1}


ENDS: dict[str, tuple[State, Callable[[Jobs, Job], Awaitable[object]]]] = {
    "released": (
        "reserved",
        lambda jobs, job: jobs.settle(job, Settlement(state="released", charge=0)),
    ),
    "finished": ("paid", lambda jobs, job: jobs.finish(job, (), PoolVersion(7, 1))),
    "in_trouble": ("submitting", lambda jobs, job: jobs.mark_uncertain(job, "lost")),
}


@pytest.mark.parametrize("name", ENDS)
async def test_an_end_or_uncertainty_is_heard_by_others(
    name: str,
    jobs: Jobs,
    brought: Callable[[State], Awaitable[Job]],
    heard: list[str],
    until: Until,
) -> None:
    state, end = ENDS[name]
    job = await brought(state)

    await end(jobs, job)

    async def told() -> bool:
        return bool(heard)

    await until(told)
    # Its own hold told it that it has a slot, so that was no news for anybody.
    assert heard == ["wake a"]


async def test_what_fal_says_of_a_job_wakes_nobody_who_waits_for_its_end(
    redis: Redis, heard: list[str], until: Until
) -> None:
    await Requests(redis, lease_ms=1, kept_s=1).tell("a", Progress(phase="IN_PROGRESS"))

    async def told() -> bool:
        return bool(heard)

    await until(told)
    assert heard == ["moved a"]


async def test_what_a_stranger_says_ends_no_connection(
    redis: Redis, heard: list[str], missed: list[int], until: Until
) -> None:
    for said in (b"\xff", b"a"):
        await redis.publish(keyspace.WAKE, said)

    async def told() -> bool:
        return "wake a" in heard

    await until(told)
    assert (heard, missed) == (["wake \N{REPLACEMENT CHARACTER}", "wake a"], [1])


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
        await redis.publish(keyspace.WAKE, "b")
        return "wake b" in heard

    await until(told)
    assert set(heard) == {"wake b"}
    assert missed == [1, 1]

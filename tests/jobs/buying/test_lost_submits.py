"""Submits without an answer, found by the reaper in fal's list, and by its hook."""
# ruff: noqa: D102 - the ports say what their methods do

import asyncio
from typing import Any

import pytest

from falgate.fal.billing import BooksClosed, Listed
from falgate.fal.replies import Lost
from falgate.jobs.reaper import Reaper


class Platform:
    """fal's list of requests: what the shop has carried out, once it shows.

    Attributes:
        shows: Whether the list has it.
        failure: What whoever asks meets.
        asked: How often it was asked.
    """

    def __init__(self, world: Any) -> None:
        self.shows = True
        self.failure: Exception | None = None
        self.asked = 0
        self._world = world

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        assert since_ms < until_ms
        self.asked += 1
        if self.failure:
            raise self.failure
        jobs = self._world.jobs.jobs
        return tuple(
            Listed(
                request_id=f"fal-{number}",
                endpoint=endpoint,
                sent_ms=jobs[job_id].submitted_ms,
                input=jobs[job_id].order.input,
            )
            for number, job_id in enumerate(self._world.shop.posts, 1)
            if self.shows
        )


@pytest.fixture
def platform(world: Any) -> Platform:
    return Platform(world)


@pytest.fixture
def reap(world: Any, platform: Platform) -> Any:
    """Lets time pass and a reaper that may read fal's books look."""
    process = world.processes[0]

    async def sweep(*_: Any) -> int:
        return 0

    reaper = Reaper(
        world.ports,
        process.purchases,
        sweep,
        every_s=0.001,
        unknown_after_s=900,
        platforms={"fal": platform},  # type: ignore[dict-item]  # its billing is not asked for here
    )

    async def reap(after_s: int) -> None:
        world.steps.now_ms += after_s * 1000
        await reaper.look("fal")
        await world.at_rest()

    return reap


async def lose(world: Any) -> str:
    """Ask for a picture, and lose the answer to the submit."""
    world.shop.submissions = [Lost("reset")]
    assert await world.outcome() == "504 TimedOut"
    [job_id] = world.jobs.jobs
    return str(job_id)


async def test_what_fal_lists_is_followed_paid_and_kept(world: Any, reap: Any) -> None:
    job_id = await lose(world)

    await reap(31)

    job = world.jobs.jobs[job_id]
    assert (job.state, job.request_id) == ("finished", "fal-1")
    assert (world.jobs.spent, world.jobs.held, world.leaks()) == (103, 0, [])
    assert await world.outcome() == "hit 1"
    assert len(world.shop.posts) == 1


async def test_a_list_that_lags_is_looked_at_again_before_it_is_too_late(
    world: Any, reap: Any, platform: Platform
) -> None:
    job_id = await lose(world)
    platform.shows = False
    await reap(31)
    assert world.jobs.jobs[job_id].state == "submitting"
    assert world.jobs.leases_ms[job_id] - world.steps.now_ms == 31_000 // 2
    platform.shows = True

    await reap(16)

    assert (world.jobs.jobs[job_id].state, world.leaks()) == ("finished", [])


async def test_even_what_is_overdue_is_looked_for_once_more(world: Any, reap: Any) -> None:
    job_id = await lose(world)

    await reap(9 * 3600)

    assert (world.jobs.jobs[job_id].state, world.jobs.spent) == ("finished", 103)


async def test_what_is_not_listed_is_settled_in_full_when_it_counts_as_unknown(
    world: Any, reap: Any, platform: Platform
) -> None:
    job_id = await lose(world)
    platform.shows = False

    await reap(900)

    assert (world.jobs.jobs[job_id].state, world.jobs.spent) == ("unknown", 107)
    assert world.leaks() == []


async def test_closed_books_keep_no_job_from_being_settled(
    world: Any, reap: Any, platform: Platform
) -> None:
    job_id = await lose(world)
    platform.failure = BooksClosed("403")
    await reap(31)
    assert world.jobs.jobs[job_id].state == "submitting"

    await reap(869)

    assert (world.jobs.jobs[job_id].state, world.leaks()) == ("unknown", [])


async def test_many_lost_submits_are_looked_for_with_one_question(
    world: Any, reap: Any, platform: Platform
) -> None:
    world.shop.submissions = [Lost("reset") for _ in range(5)]
    await asyncio.gather(*(world.outcome(1, f"wish {number}") for number in range(5)))

    await reap(31)

    assert {job.state for job in world.jobs.jobs.values()} == {"finished"}
    assert platform.asked == 1
    assert (world.jobs.spent, world.leaks()) == (5 * 103, [])


async def test_what_a_hook_has_bound_goes_on_without_a_question(
    world: Any, reap: Any, platform: Platform
) -> None:
    job_id = await lose(world)
    assert await world.jobs.accept(world.jobs.jobs[job_id], "fal-1")

    await reap(31)

    assert (world.jobs.jobs[job_id].state, platform.asked) == ("finished", 0)
    assert (world.jobs.spent, world.leaks()) == (103, [])

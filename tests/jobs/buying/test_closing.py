"""Leases: kept while a process works, handed over when it goes."""

import asyncio
from typing import Any

import pytest

from falgate.core.errors import Unavailable
from falgate.fal.replies import Lost, Unsent


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes(world: Any) -> None:
    world.processes[0] = world.open(lease_s=0.003)
    world.steps.gates["collect"] = asyncio.Event()
    world.steps.fail("renew", Unavailable("away"))
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    [job_id] = world.jobs.jobs
    for _ in range(5):
        world.steps.now_ms += 29_000
        fresh_ms = world.steps.now_ms + 30_000
        await world.until(lambda due_ms=fresh_ms: world.jobs.leases_ms[job_id] >= due_ms)
    await world.processes[0].reaper.look("fal")
    world.steps.gates["collect"].set()

    assert await caller == "miss 1"
    assert world.jobs.jobs[job_id].epoch == 1


async def test_leaving_hands_the_jobs_over_at_once(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    world.processes[0].works.wakes.close()
    assert await caller == "503 Unavailable"

    await world.processes[0].purchases.close(0)
    world.steps.gates.clear()
    world.processes.append(world.open())
    await world.reap(0, at=1)

    assert [job.state for job in world.jobs.jobs.values()] == ["finished"]
    assert (len(world.shop.posts), world.leaks()) == (1, [])
    assert await world.outcome(at=1) == "hit 1"


async def test_leaving_waits_for_the_answer_to_a_submit(world: Any) -> None:
    world.steps.gates["submit"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("submit")
    leaving = asyncio.create_task(world.processes[0].purchases.close(0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not leaving.done()
    gate.set()
    await leaving

    [job] = world.jobs.jobs.values()
    assert (job.state, job.request_id) == ("accepted", "fal-1")
    assert world.jobs.leases_ms == {job.order.id: world.steps.now_ms}
    world.processes.append(world.open())
    await world.reap(0, at=1)
    assert await caller == "miss 1"
    assert (len(world.shop.posts), world.leaks()) == (1, [])


async def test_an_id_that_is_heard_after_leaving_is_bound_all_the_same(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.jobs.worker._ASKING_S", 0.001)
    world.steps.gates["submit"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("submit")
    await world.processes[0].purchases.close(0)
    world.processes.append(world.open())
    await world.reap(0, at=1)
    assert await caller == "504 TimedOut"
    [job_id] = world.jobs.jobs
    assert world.jobs.jobs[job_id].trouble == "lost"

    gate.set()
    await world.until(lambda: world.jobs.jobs[job_id].state == "accepted")
    world.steps.gates.clear()
    assert world.jobs.jobs[job_id].troubled_ms == 0
    await world.reap(31, at=1)
    assert await world.outcome(at=1) == "hit 1"
    assert (len(world.shop.posts), world.leaks()) == (1, [])


@pytest.mark.parametrize("said", [Lost("reset"), Unsent("refused")])
async def test_a_submit_that_fails_after_its_job_was_handed_over_writes_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    monkeypatch.setattr("falgate.jobs.worker._ASKING_S", 0.001)
    world.shop.submissions = [said]
    world.steps.gates["submit"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("submit")
    await world.processes[0].purchases.close(0)
    world.processes.append(world.open())
    await world.reap(0, at=1)
    [before] = world.jobs.jobs.values()
    gate.set()
    await world.until(lambda: len(asyncio.all_tasks()) == 1)

    assert await caller == "504 TimedOut"
    assert list(world.jobs.jobs.values()) == [before]
    assert (before.trouble, world.jobs.ledger, world.leaks()) == ("lost", [], [])


async def test_what_is_nearly_done_is_done_before_leaving(world: Any) -> None:
    world.steps.gates["finish"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("finish")
    leaving = asyncio.create_task(world.processes[0].purchases.close(5))
    await asyncio.sleep(0)
    world.steps.gates["finish"].set()
    await leaving

    assert await caller == "miss 1"
    assert world.jobs.leases_ms == {}


async def test_leaving_without_redis_leaves_the_leases_to_run_out(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    world.steps.fail("renew", Unavailable("away"))
    await world.processes[0].purchases.close(0)
    caller.cancel()
    world.steps.gates.clear()
    world.processes.append(world.open())

    await world.reap(1, at=1)
    assert [job.state for job in world.jobs.jobs.values()] == ["accepted"]
    await world.reap(30, at=1)
    assert [job.state for job in world.jobs.jobs.values()] == ["finished"]


async def test_leaving_with_nothing_to_do_does_nothing(world: Any) -> None:
    await world.ask()
    before = world.effects()

    await world.processes[0].purchases.close(5)

    assert world.effects() == before


async def test_starting_a_job_that_is_worked_on_is_a_mistake_of_ours(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    [job] = world.jobs.jobs.values()
    with pytest.raises(AssertionError):
        world.processes[0].purchases.start(job)
    world.steps.gates["collect"].set()

    assert await caller == "miss 1"
    assert world.steps.did.count("collect") == 1


@pytest.mark.parametrize("step", ["collect", "download"])
async def test_no_upstream_is_asked_again_by_who_left(world: Any, step: str) -> None:
    world.steps.gates[step] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached(step)
    before = len(world.steps.did)
    await world.processes[0].purchases.close(0)
    world.steps.gates[step].set()
    await world.at_rest()
    caller.cancel()

    assert world.effects(before) == ""

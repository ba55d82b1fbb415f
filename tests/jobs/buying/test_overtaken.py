"""A worker or a caller whose job was taken over, forgotten, or never announced."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.core.errors import PriceMissing


async def test_who_was_overtaken_right_after_settling_ends_nothing(world: Any) -> None:
    """It may fetch the pictures once more, but only the adopter ends the job."""
    world.steps.gates["download"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("download")
    [job_id] = world.jobs.jobs
    world.jobs.jobs[job_id] = replace(world.jobs.jobs[job_id], epoch=2)
    gate.set()
    await world.at_rest()
    assert (world.jobs.jobs[job_id].state, caller.done()) == ("paid", False)

    await world.reap(31)
    assert await caller == "miss 1"
    assert world.jobs.jobs[job_id].epoch == 3
    assert world.jobs.ledger == [(job_id, "paid", 103)]


async def test_a_kept_request_that_has_ended_elsewhere_is_not_driven(world: Any) -> None:
    call = replace(world.call(), request_id="r")
    works = world.processes[0].works
    await works.queue.submit(call)
    await world.until(lambda: world.jobs.requests.kept["r"].ended)
    await world.at_rest()
    ended = world.jobs.requests.kept["r"]
    # As Redis has it: what it was to bring is forgotten with its end.
    forgotten = replace(ended, asked=replace(ended.asked, arguments={}))

    works.driver.start(forgotten)
    await world.at_rest()

    assert not [did for did in world.steps.did if did.startswith("anomaly")]


async def test_a_lease_that_is_somebody_else_s_is_not_renewed_any_more(world: Any) -> None:
    world.processes[0] = world.open(lease_s=0.003)
    world.steps.gates["collect"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    [job_id] = world.jobs.jobs
    world.jobs.jobs[job_id] = replace(world.jobs.jobs[job_id], epoch=2)
    due_ms = world.jobs.leases_ms[job_id]
    world.steps.now_ms += 1_000
    await asyncio.sleep(0.02)
    gate.set()
    await world.at_rest()

    assert world.jobs.leases_ms[job_id] == due_ms
    assert world.steps.did[-2:] == ["settle paid 103", "download"]
    await world.reap(31)
    assert await caller == "miss 1"


async def test_an_end_that_redis_does_not_announce_is_known_in_the_process_itself(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.jobs.watcher.LOOK_AGAIN_S", 60.0)
    world.steps.listeners.clear()

    assert await world.outcome() == "miss 1"


async def test_a_job_that_was_forgotten_is_bought_anew(world: Any) -> None:
    world.steps.gates["mark"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("mark")
    [job_id] = world.jobs.jobs
    old = world.jobs.jobs.pop(job_id)
    world.jobs.held -= old.order.held
    world.jobs.flights.clear()
    await world.until(lambda: len(world.jobs.jobs) == 1)
    world.jobs.jobs[job_id] = replace(old, epoch=9, state="released")
    gate.set()

    assert await caller == "miss 1"
    assert job_id not in world.shop.posts


async def test_what_has_no_price_is_refused_before_anything_is_asked_for(world: Any) -> None:
    call = world.call()
    unpriced = replace(call, spec=replace(call.spec, image_price={}.__getitem__))

    with pytest.raises(PriceMissing):
        await world.processes[0].answers.answer(unpriced)
    assert world.effects() == "pool"


async def test_pictures_that_were_given_up_are_a_time_out_for_who_still_waits(world: Any) -> None:
    world.steps.gates["download"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("download")
    [job] = world.jobs.jobs.values()
    await world.jobs.finish(job, (), None)

    assert await caller == "504 TimedOut"

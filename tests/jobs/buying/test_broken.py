"""What nobody foresaw: it is said, nobody waits for it, and the job goes on where it stood."""

import asyncio
import gc
from typing import Any

import pytest
from msgspec.structs import replace
from patience import PATIENCE_S

BROKEN = ValueError("a secret cat")
STEPS = {
    # step: what the caller hears, the job's trouble, how it ends once mended
    "mark": ("504 TimedOut", "lost", "released"),
    "submit": ("504 TimedOut", "lost", "unknown"),
    "accept": ("504 TimedOut", "lost", "unknown"),
    "collect": ("504 TimedOut", "lost", "finished"),
    "settle": ("504 TimedOut", "lost", "finished"),
    "download": ("miss 0+1", "unbanked", "finished"),
    "keep": ("miss 0+1", "unbanked", "finished"),
    "append": ("miss 0+1", "unbanked", "finished"),
    "finish": ("miss 0+1", "unbanked", "finished"),
}


@pytest.mark.parametrize(("step", "expected"), STEPS.items(), ids=STEPS)
async def test_who_waits_is_told_at_once_and_the_job_goes_on_later(
    world: Any, monkeypatch: pytest.MonkeyPatch, step: str, expected: tuple[str, str, str]
) -> None:
    outcome, trouble, end = expected
    monkeypatch.setattr("falgate.jobs.watcher.LOOK_AGAIN_S", 60.0)
    world.steps.fail(step, BROKEN)

    async with asyncio.timeout(PATIENCE_S):
        assert await world.outcome() == outcome
    await world.at_rest()
    [job] = world.jobs.jobs.values()
    assert (job.trouble, job.troubled_ms) == (trouble, world.steps.now_ms)
    assert f"anomaly broken, uncertain {trouble}" in world.effects()

    await world.reap(31)
    await world.reap(900)
    assert world.jobs.jobs[job.order.id].state == end
    assert (world.jobs.held, world.leaks()) == (0, [])


@pytest.mark.parametrize("step", ["submit", "collect", "download"])
async def test_only_the_kind_of_what_broke_is_told(world: Any, step: str) -> None:
    world.steps.fail(step, BROKEN)
    await world.outcome()
    await world.at_rest()

    [event] = [e for e in world.facts.events if getattr(e, "what", "") == "broken"]
    assert event.detail == "ValueError"


async def test_all_who_joined_are_told(world: Any) -> None:
    world.steps.fail("collect", BROKEN)
    world.steps.gates["collect"] = gate = asyncio.Event()
    callers = [asyncio.create_task(world.outcome()) for _ in range(3)]
    await world.reached("hold", 3)
    await world.reached("collect")
    gate.set()

    assert await asyncio.gather(*callers) == ["504 TimedOut"] * 3


async def test_who_was_overtaken_before_it_broke_leaves_the_job_alone(world: Any) -> None:
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    world.processes[0] = world.open(wait_s=0.02)
    world.steps.fail("collect", BROKEN)
    world.steps.gates["collect"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome(start_within_s=PATIENCE_S))
    await world.reached("collect")
    [job_id] = world.jobs.jobs
    overtaken = world.jobs.jobs[job_id] = replace(world.jobs.jobs[job_id], epoch=2)
    gate.set()
    await world.at_rest()

    assert world.jobs.jobs[job_id] == overtaken
    assert await caller == "504 TimedOut"
    gc.collect()
    assert unhandled == []


async def test_the_same_kind_of_break_every_time_ends_as_unknown(world: Any) -> None:
    world.steps.fail("collect", BROKEN, times=9)
    assert await world.outcome() == "504 TimedOut"

    await world.reap(31)
    await world.reap(868)
    assert [job.state for job in world.jobs.jobs.values()] == ["accepted"]
    await world.reap(31)
    assert [entry[1:] for entry in world.jobs.ledger] == [("unknown", 107)]


async def test_what_has_lost_its_price_meanwhile_is_charged_as_held(world: Any) -> None:
    world.steps.gates["submit"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("submit")
    spec = world.ports.models["acme/easel"]
    world.ports.models["acme/easel"] = replace(spec, image_price={}.__getitem__)
    gate.set()

    assert await caller == "miss 1"
    assert world.jobs.ledger == [(world.shop.posts[0], "paid", 107)]

"""Adoption: each state, age and trouble of a job whose worker died."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.core.errors import Unavailable
from falgate.fal.replies import DownloadFailed, Lost

HOUR_S = 3600


async def abandon(world: Any, step: str) -> str:
    """Let a process die just before a step, and give its job's id."""
    world.steps.gates[step] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached(step)
    assert not caller.done()
    its_own = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in its_own:
        task.cancel()
    await asyncio.wait(its_own)
    world.steps.gates.clear()
    world.steps.did.clear()
    [job_id] = world.jobs.jobs
    return str(job_id)


ADOPTED = "adopt, anomaly adopted"
KEPT = "download, keep, append 1, finish 1"
PAID = "collect, settle paid 103, download, purchased paid 103, keep, append 1, finish 1"
STATES = {
    # died before, seconds later, effects, state after
    "reserved": (
        "mark",
        31,
        f"{ADOPTED}, settle released 0, purchased released 0",
        "released",
    ),
    "reserved, long ago": (
        "mark",
        9 * HOUR_S,
        f"{ADOPTED}, settle released 0, purchased released 0",
        "released",
    ),
    "submitting": ("submit", 31, f"{ADOPTED}, uncertain lost", "submitting"),
    "submitting, nearly unknown": ("submit", 899, f"{ADOPTED}, uncertain lost", "submitting"),
    "submitting, unknown": (
        "submit",
        900,
        f"{ADOPTED}, settle unknown 107, purchased unknown 107",
        "unknown",
    ),
    "accepted": ("collect", 31, f"{ADOPTED}, {PAID}", "finished"),
    "accepted, long ago": ("collect", 9 * HOUR_S, f"{ADOPTED}, {PAID}", "finished"),
    "paid": ("download", 31, f"{ADOPTED}, {KEPT}", "finished"),
    "paid, yesterday": ("download", 24 * HOUR_S - 1, f"{ADOPTED}, {KEPT}", "finished"),
    "paid, before yesterday": ("download", 48 * HOUR_S, f"{ADOPTED}, {KEPT}", "finished"),
    "kept": ("append", 31, f"{ADOPTED}, {KEPT}", "finished"),
    "published": ("finish", 31, f"{ADOPTED}, {KEPT}", "finished"),
}


@pytest.mark.parametrize(("step", "after_s", "effects", "state"), STATES.values(), ids=STATES)
async def test_a_job_goes_on_where_it_stood(
    world: Any, step: str, after_s: int, effects: str, state: str
) -> None:
    job_id = await abandon(world, step)

    await world.reap(after_s)

    assert world.effects() == effects
    assert (world.jobs.jobs[job_id].state, world.leaks()) == (state, [])
    assert world.jobs.jobs[job_id].epoch == 2


@pytest.mark.parametrize("step", ["mark", "submit", "collect", "download"])
async def test_a_job_whose_lease_runs_is_left_alone(world: Any, step: str) -> None:
    await abandon(world, step)

    await world.reap(29)

    assert world.effects() == ""


async def test_a_job_of_a_model_that_is_not_served_here_is_left_to_others(world: Any) -> None:
    job_id = await abandon(world, "collect")
    models = dict(world.ports.models)
    world.ports.models.clear()

    await world.reap(2_000)
    assert (world.effects(), world.jobs.jobs[job_id].epoch) == ("", 1)

    world.ports.models.update(models)
    await world.reap(0)
    assert (world.jobs.jobs[job_id].state, world.leaks()) == ("finished", [])


async def test_a_lost_submit_is_looked_at_again_when_it_counts_as_unknown(world: Any) -> None:
    world.shop.submissions = [Lost("reset")]
    assert await world.outcome() == "504 TimedOut"
    [job_id] = world.jobs.jobs

    await world.reap(31)
    assert world.jobs.leases_ms[job_id] - world.steps.now_ms == (900 - 31) * 1000
    world.steps.did.clear()
    await world.reap(868)
    assert world.effects() == ""
    assert await world.outcome() == "504 TimedOut"
    await world.reap(1)

    assert world.jobs.jobs[job_id].state == "unknown"
    assert (world.jobs.spent, world.jobs.held, world.leaks()) == (107, 0, [])
    assert await world.outcome() == "miss 1"


async def test_the_age_of_a_submit_counts_from_its_mark(world: Any) -> None:
    job_id = await abandon(world, "submit")
    job = world.jobs.jobs[job_id]
    world.jobs.jobs[job_id] = replace(job, began_ms=job.began_ms - 600_000)

    await world.reap(899)
    assert world.jobs.jobs[job_id].state == "submitting"


async def test_an_uncertain_submit_counts_from_its_mark_however_late_it_is_seen(
    world: Any,
) -> None:
    job_id = await abandon(world, "submit")
    await world.reap(31)

    await world.reap(868)
    job = world.jobs.jobs[job_id]
    assert (job.state, job.trouble) == ("submitting", "lost")
    await world.reap(1)
    assert world.jobs.jobs[job_id].state == "unknown"


async def test_a_result_that_is_lost_after_hours_has_as_long_to_be_found(world: Any) -> None:
    job_id = await abandon(world, "collect")
    world.shop.results = [Lost("gone"), Lost("gone")]
    await world.reap(9 * HOUR_S)
    assert world.jobs.jobs[job_id].trouble == "lost"

    await world.reap(899)
    assert world.jobs.jobs[job_id].state == "accepted"
    await world.reap(31)
    assert [entry[1:] for entry in world.jobs.ledger] == [("unknown", 107)]


async def test_an_uncertainty_that_is_over_does_not_count_for_the_next_one(world: Any) -> None:
    """The id that is heard late ends the first uncertainty; the lost result begins another."""
    world.shop.submissions = [Lost("reset")]
    assert await world.outcome() == "504 TimedOut"
    [job] = world.jobs.jobs.values()
    world.steps.now_ms += 800_000
    assert await world.jobs.accept(job, "fal-1")
    world.shop.results = [Lost("gone")]

    await world.reap(200)
    assert world.jobs.jobs[job.order.id].state == "accepted"
    await world.reap(31)
    assert world.jobs.jobs[job.order.id].state == "finished"
    assert (world.jobs.spent, world.leaks()) == (103, [])


async def test_a_lost_result_is_fetched_again_and_heals(world: Any) -> None:
    world.shop.results = [Lost("gone"), Lost("gone")]
    assert await world.outcome() == "504 TimedOut"

    await world.reap(31)
    assert await world.outcome() == "504 TimedOut"
    await world.reap(31)

    assert await world.outcome() == "hit 1"
    assert (world.jobs.spent, len(world.shop.posts), world.leaks()) == (103, 1, [])


async def test_a_result_that_stays_lost_is_charged_in_full(world: Any) -> None:
    world.shop.results = [Lost("gone")] * 9
    assert await world.outcome() == "504 TimedOut"

    await world.reap(901)

    assert [entry[1:] for entry in world.jobs.ledger] == [("unknown", 107)]
    assert world.leaks() == []


async def test_pictures_that_could_not_be_fetched_are_fetched_later(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("503"), times=6)
    assert await world.outcome() == "miss 0+1"
    await world.reap(31)
    assert await world.outcome() == "coalesced 0+1"
    await world.reap(31)

    assert await world.outcome() == "hit 1"
    assert (world.jobs.spent, len(world.shop.posts)) == (103, 1)


async def test_pictures_that_stay_out_of_reach_are_given_up_after_a_day(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("404"), times=99)
    await world.ask()

    await world.reap(24 * HOUR_S)

    [job] = world.jobs.jobs.values()
    assert (job.state, job.pictures, world.jobs.flights) == ("finished", (), {})
    assert (world.jobs.spent, world.leaks()) == (103, [])


async def test_the_jobs_of_another_upstream_are_left_to_who_knows_it(world: Any) -> None:
    job_id = await abandon(world, "collect")
    job = world.jobs.jobs[job_id]
    world.jobs.jobs[job_id] = replace(job, order=replace(job.order, upstream="elsewhere"))
    world.steps.now_ms += 9 * HOUR_S * 1000

    for upstream in ("fal", "sandbox"):
        await world.processes[0].reaper.look(upstream)

    assert world.effects() == ""
    assert world.jobs.jobs[job_id].epoch == 1


async def test_a_job_that_this_process_works_on_is_not_taken_from_itself(world: Any) -> None:
    """Its lease ran out while Redis was away; its own keeper renews it."""
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    world.steps.now_ms += 31_000
    await world.processes[0].reaper.look("fal")
    world.steps.gates["collect"].set()

    assert await caller == "miss 1"
    assert "adopt" not in world.steps.did


async def test_of_two_reapers_one_adopts(world: Any) -> None:
    await abandon(world, "collect")
    world.processes.append(world.open())
    world.steps.now_ms += 31_000

    await asyncio.gather(*(process.reaper.look("fal") for process in world.processes))
    await world.at_rest()

    assert world.steps.did.count("anomaly adopted") == 1
    assert world.steps.did.count("collect") == 1


async def test_a_reaper_overtaken_in_the_middle_goes_on_with_the_next_job(world: Any) -> None:
    await abandon(world, "mark")
    job_id = next(iter(world.jobs.jobs))
    world.steps.gates["settle"] = gate = asyncio.Event()
    world.steps.now_ms += 31_000
    looking = asyncio.create_task(world.processes[0].reaper.look("fal"))
    await world.reached("settle")
    world.jobs.jobs[job_id] = replace(world.jobs.jobs[job_id], epoch=9)
    gate.set()
    await looking

    assert world.jobs.ledger == []
    assert world.swept == ["fal"]


async def test_the_reaper_looks_at_once_and_survives_an_outage(world: Any) -> None:
    job_id = await abandon(world, "collect")
    world.steps.now_ms += 31_000
    world.steps.fail("lapsed", Unavailable("away"), times=2)
    running = asyncio.create_task(world.processes[0].reaper.run())
    await world.until(lambda: "sandbox" in world.swept and world.jobs.jobs[job_id].ended)
    running.cancel()

    assert world.jobs.jobs[job_id].state == "finished"
    assert set(world.swept) == {"fal", "sandbox"}

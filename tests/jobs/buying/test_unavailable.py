"""Redis away between any two steps: nothing leaves without a hold, nothing known is thrown away."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S

from falgate.core.errors import StoreUnavailable, Unavailable
from falgate.fal.replies import Delivered, DownloadFailed, Failed, FalAnswer, Lost, Rejected, Unsent
from falgate.jobs.job import Fenced, NotDurable

AWAY = Unavailable("away")
BROKEN = RuntimeError("unforeseen")
LATER = ["accept", "settle", "append", "finish", "now"]
"""The steps that are insisted on, once fal has the order."""


@pytest.mark.parametrize("reply_lost", [False, True], ids=["not reached", "reply lost"])
async def test_without_redis_around_the_hold_nothing_is_submitted(
    world: Any, reply_lost: bool
) -> None:
    world.steps.fail("hold", AWAY, after=reply_lost)

    assert await world.outcome() == "503 Unavailable"
    await world.at_rest()
    assert world.shop.posts == []

    await world.reap(31)
    assert (world.jobs.held, world.jobs.spent, world.leaks()) == (0, 0, [])
    assert await world.outcome() == "miss 1"


@pytest.mark.parametrize("times", [1, 3])
async def test_a_mark_whose_reply_is_lost_gives_the_hold_back(world: Any, times: int) -> None:
    """It was marked, so that only this process can say that nothing left."""
    world.steps.fail("mark", AWAY, after=True)
    world.steps.fail("settle", AWAY, times=times)

    assert await world.outcome() == "503 Unavailable"
    await world.at_rest()
    assert (world.jobs.held, world.jobs.spent, world.shop.posts) == (0, 0, [])
    assert [state for _, state, _ in world.jobs.ledger] == ["released"]


async def test_a_mark_that_did_not_arrive_leaves_the_hold_to_the_reaper(world: Any) -> None:
    world.steps.fail("mark", AWAY)
    caller = asyncio.create_task(world.outcome())
    await world.reached("settle")
    await world.at_rest()
    assert (world.jobs.held, world.shop.posts) == (107, [])

    await world.reap(31)

    assert await caller == "miss 1"
    assert [state for _, state, _ in world.jobs.ledger] == ["released", "paid"]
    assert world.leaks() == []


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("reply_lost", [False, True], ids=["not reached", "reply lost"])
@pytest.mark.parametrize("step", LATER)
async def test_after_the_submit_each_step_is_repeated_until_it_is_done(
    world: Any, step: str, reply_lost: bool, times: int
) -> None:
    world.steps.fail(step, AWAY, after=reply_lost, times=times)

    assert await world.outcome(2) == "miss 2"
    assert (world.jobs.spent, world.jobs.held) == (206, 0)
    assert (len(world.shop.posts), world.leaks()) == (1, [])
    assert await world.outcome(2) == "hit 2"


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(
    ("ending", "outcome"),
    [(Lost("reset"), "504 TimedOut"), (Rejected(FalAnswer(422, {}, {})), "422 UpstreamRefused")],
)
async def test_an_unhappy_ending_is_insisted_on_too(
    world: Any, ending: Any, outcome: str, times: int
) -> None:
    world.shop.submissions = [ending]
    for step in ("uncertain", "settle"):
        world.steps.fail(step, AWAY, times=times)

    assert await world.outcome() == outcome
    assert world.leaks() == []


async def test_looking_goes_on_when_redis_comes_back(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    world.steps.fail("read", AWAY, times=3)
    world.steps.gates["collect"].set()

    assert await caller == "miss 1"


async def test_a_pool_that_cannot_be_read_buys_nothing(world: Any) -> None:
    world.steps.fail("pool", AWAY)

    assert await world.outcome() == "503 Unavailable"
    assert world.effects() == "pool"
    assert await world.outcome() == "miss 1"


async def test_a_joiner_whose_second_look_fails_buys_nothing(world: Any) -> None:
    world.steps.gates["collect"] = gate = asyncio.Event()
    callers = [asyncio.create_task(world.outcome()) for _ in range(2)]
    await world.reached("hold", 2)
    await world.reached("collect")
    world.steps.fail("pool", AWAY)
    gate.set()

    assert await asyncio.gather(*callers) == ["miss 1", "503 Unavailable"]
    assert len(world.shop.posts) == 1
    assert await world.outcome() == "hit 1"


async def test_a_store_that_takes_nothing_leaves_fal_s_own_files(world: Any) -> None:
    world.steps.fail("keep", StoreUnavailable(), times=3)

    assert await world.outcome() == "miss 0+1"
    await world.reap(31)
    assert await world.outcome() == "hit 1"
    assert (world.jobs.spent, world.leaks()) == (103, [])


FENCES = ["mark", "settle", "finish"]


@pytest.mark.parametrize("step", FENCES)
async def test_who_was_fenced_writes_nothing_more(world: Any, step: str) -> None:
    world.processes[0] = world.open(wait_s=0.02)
    world.steps.fail(step, Fenced())

    assert await world.outcome(start_within_s=PATIENCE_S) == "504 TimedOut"
    await world.at_rest()
    written = [did for did in world.effects().split(", ") if did != "download"]
    assert written[-1].startswith(step)


@pytest.mark.parametrize("step", ["submit", "collect", "download"])
async def test_who_was_overtaken_while_away_is_fenced_at_the_next_write(
    world: Any, step: str
) -> None:
    """It sleeps for longer than its lease, and another process adopts the job meanwhile."""
    world.steps.gates[step] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached(step)
    world.steps.gates.clear()
    world.processes.append(world.open())
    world.steps.now_ms += 31_000
    await world.processes[1].reaper.look("fal")
    gate.set()
    await world.at_rest()

    outcome = await caller
    assert outcome == ("504 TimedOut" if step == "submit" else "miss 1")
    assert len(world.shop.posts) == 1
    assert world.leaks() == []
    if step == "submit":
        await world.reap(31, at=1)
    assert [entry[1] for entry in world.jobs.ledger] == ["paid"]


STEPS = ["pool", "hold", "read", "mark", "accept", "settle", "append", "finish", "uncertain"]
FAILURES = [
    *((step, AWAY) for step in STEPS),
    ("mark", NotDurable()),
    ("mark", Fenced()),
    ("settle", Fenced()),
    ("finish", Fenced()),
    ("download", DownloadFailed("reset")),
    ("keep", StoreUnavailable()),
    *((step, BROKEN) for step in ("mark", "submit", "accept", "collect", "settle")),
    *((step, BROKEN) for step in ("download", "keep", "append", "finish")),
]
failures = st.lists(
    st.tuples(st.sampled_from(FAILURES), st.booleans(), st.integers(0, 3), st.integers(1, 3)),
    max_size=4,
)
submissions = st.lists(
    st.sampled_from(
        [
            Unsent("refused"),
            Lost("reset"),
            *(Rejected(FalAnswer(s, {}, {})) for s in (401, 422, 429)),
        ]
    ),
    max_size=2,
)
results = st.lists(
    st.sampled_from(
        [
            Lost("forgotten"),
            Failed(FalAnswer(500, {}, {}), None),
            Failed(FalAnswer(422, {}, {}), None),
            Failed(FalAnswer(422, {}, {}), "0"),
            Delivered({"images": []}, None),
            Delivered({"images": [{"url": "https://pictures/x"}] * 5}, "5"),
        ]
    ),
    max_size=2,
)


@given(failures, submissions, results, st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_whatever_fails_fal_s_bill_is_booked_and_every_job_is_closed_once(
    new_world: Any, failing: Any, said: Any, came: Any, wanted: list[int]
) -> None:
    async def live() -> None:
        world = new_world()
        world.steps.limit = 5_000
        world.processes = [world.open(wait_s=0.03), world.open(wait_s=0.03)]
        for (step, error), reply_lost, skip, times in failing:
            world.steps.fail(step, error, after=reply_lost, skip=skip, times=times)
        world.shop.submissions, world.shop.results = list(said), list(came)
        asked = [
            world.outcome(number, at=place % 2, prompt="a dog" if place == 3 else "a cat")
            for place, number in enumerate(wanted)
        ]
        heard = await asyncio.gather(*asked)
        await world.at_rest()
        assert world.leaks() == []
        world.steps.mend()
        for after_s in (31, 31, 901, 24 * 3600, 31):
            await world.reap(after_s)
            assert world.leaks() == []
        assert all(job.ended for job in world.jobs.jobs.values())
        assert world.jobs.held == 0
        assert sum(world.shop.bills.values()) <= world.jobs.spent + world.jobs.overrun
        assert all(re.match("(miss|hit|partial|coalesced|402|422|5..) ", words) for words in heard)

    asyncio.run(live())


async def test_nothing_is_bought_that_could_not_be_kept(world: Any) -> None:
    world.pictures.full = True

    assert await world.outcome() == "503 StoreUnavailable"
    assert await world.outcome(cache="no-cache") == "503 StoreUnavailable"
    assert (world.jobs.held, world.shop.posts) == (0, [])


async def test_who_only_joins_needs_no_room(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    leader = asyncio.create_task(world.outcome())
    await world.reached("submit")
    world.pictures.full = True
    joiner = asyncio.create_task(world.outcome())
    await world.reached("hold", 2)
    assert await world.outcome(prompt="a dog") == "503 StoreUnavailable"
    world.steps.gates["collect"].set()

    assert [await leader, await joiner] == ["miss 1", "coalesced 1"]

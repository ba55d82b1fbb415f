"""A purchase that waits for its turn at the upstream: started, given up, or handed over."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from patience import PATIENCE_S

from falgate.accounts.limits import Exceeded
from falgate.core.account import ORGANISATION
from falgate.core.errors import TimedOut, Unavailable
from falgate.core.events import Overdrawn
from falgate.fal.replies import Failed, FalAnswer
from falgate.jobs.verdicts import Held
from falgate.money.frozen import Frozen


async def waiting(world: Any, number: int = 1) -> list[str]:
    """The ids of the jobs that wait, once there are so many."""
    await world.until(lambda: len(world.jobs.waiting) >= number)
    return list(world.jobs.waiting)


@pytest.mark.parametrize("tell", [True, False])
async def test_it_is_submitted_when_it_has_its_turn_told_or_not(world: Any, *, tell: bool) -> None:
    world.jobs.busy = True
    asking = asyncio.create_task(world.outcome())
    (job_id,) = await waiting(world)
    assert world.shop.posts == []

    world.jobs.give_turn(job_id, tell=tell)

    assert await asking == "miss 1"
    assert world.shop.posts == [job_id]


async def test_who_is_told_does_not_wait_for_the_next_look(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.jobs.slots.LOOK_AGAIN_S", 60.0)
    world.jobs.busy = True
    turn, looks = world.jobs.turn, list[bool]()

    async def looked(job: Any) -> bool:
        looks.append(await turn(job))
        return looks[-1]

    world.jobs.turn = looked
    asking = asyncio.create_task(world.outcome())
    (job_id,) = await waiting(world)
    await world.until(lambda: looks == [False])

    world.jobs.give_turn(job_id)

    async with asyncio.timeout(PATIENCE_S):
        assert await asking == "miss 1"


async def test_redis_may_be_away_meanwhile(world: Any) -> None:
    world.jobs.busy = True
    world.steps.fail("turn", Unavailable("away"), times=3)
    asking = asyncio.create_task(world.outcome())
    (job_id,) = await waiting(world)

    world.jobs.give_turn(job_id)

    assert await asking == "miss 1"


async def test_who_will_not_wait_that_long_gets_the_hold_back_and_a_504(world: Any) -> None:
    world.jobs.busy = True

    with pytest.raises(TimedOut) as refused:
        await world.ask(start_within_s=0.05)

    assert refused.value.headers()["X-Fal-Request-Timeout-Type"] == "user"
    assert (world.shop.posts, world.jobs.held, world.jobs.spent) == ([], 0, 0)
    assert [entry[1] for entry in world.jobs.ledger] == ["released"]
    assert world.leaks() == []


async def test_who_joined_one_that_gave_up_buys_by_itself(world: Any) -> None:
    world.jobs.busy = True
    leader = asyncio.create_task(world.outcome(start_within_s=0.05))
    (first,) = await waiting(world)
    joiner = asyncio.create_task(world.outcome())
    await world.until(lambda: world.steps.did.count("hold 107") == 2)

    assert await leader == "504 TimedOut"
    await world.until(lambda: bool(world.jobs.waiting.keys() - {first}))
    (second,) = world.jobs.waiting.keys() - {first}
    world.jobs.give_turn(second)

    assert await joiner == "miss 1"
    assert world.shop.posts == [second]
    assert world.leaks() == []


async def test_a_stop_leaves_it_to_who_takes_over_and_nothing_was_sent(world: Any) -> None:
    world.jobs.busy = True
    asking = asyncio.create_task(world.outcome())
    (job_id,) = await waiting(world)
    await world.until(lambda: world.processes[0].purchases.busy_with(job_id))
    asking.cancel()

    await world.processes[0].purchases.close(0)
    world.processes.append(world.open())
    await world.reap(0, at=1)

    assert world.jobs.jobs[job_id].state == "released"
    assert (world.shop.posts, world.leaks()) == ([], [])


async def test_what_the_caller_wishes_goes_along(world: Any) -> None:
    await world.ask(start_within_s=4, priority="low")
    await world.ask(prompt="a dog")

    hasty, usual = world.shop.options
    plain = {"priority": "normal", "start_within_s": 0, "passed": {}}
    assert (hasty["priority"], usual) == ("low", plain)
    assert 3 < hasty["start_within_s"] <= 4


async def test_who_joined_and_may_not_start_any_more_is_told_so(world: Any) -> None:
    world.jobs.busy = True
    leader = asyncio.create_task(world.outcome(start_within_s=0.1))
    await waiting(world)
    joiner = asyncio.create_task(world.outcome(start_within_s=0.01))
    await world.until(lambda: world.steps.did.count("hold 107") == 2)

    assert set(await asyncio.gather(leader, joiner)) == {"504 TimedOut"}
    assert (len(world.jobs.jobs), world.shop.posts, world.leaks()) == (1, [], [])


async def test_the_order_says_what_it_saved_and_how_soon_it_is_wanted(world: Any) -> None:
    await world.ask(2)

    await world.ask(3, start_within_s=4, priority="low")

    first, more = (job.order for job in world.jobs.jobs.values())
    assert (first.saved, first.priority, first.start_within_s) == (0, "normal", 0)
    assert (more.saved, more.priority, more.start_within_s) == (200, "low", 4)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Exceeded("team:t", "generations_at_once", 1, 5_000), "429 TooMany"),
        (Frozen(), "503 Unavailable"),
    ],
)
async def test_what_refuses_holds_nothing(world: Any, verdict: Any, outcome: str) -> None:
    world.steps.verdict = verdict

    assert await world.outcome() == outcome
    assert (world.jobs.held, world.shop.posts) == (0, [])


async def test_a_shadow_budget_refuses_nothing_and_is_told(world: Any) -> None:
    hold = world.jobs.hold

    async def overdrawn(*asked: Any) -> Any:
        verdict = await hold(*asked)
        return Held((Overdrawn(ORGANISATION, "day"),)) if verdict == Held() else verdict

    world.jobs.hold = overdrawn

    assert await world.outcome() == "miss 1"
    assert "overdrawn fal organisation:main day" in world.steps.did


LATE = Failed(FalAnswer(504, {"detail": "late"}, {"x-fal-request-timeout-type": "user"}), None)


async def test_that_fal_was_too_late_for_its_leader_is_no_joiner_s_affair(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    world.shop.results.append(LATE)
    leader = asyncio.create_task(world.outcome(start_within_s=0.05))
    await world.reached("collect")
    joiner = asyncio.create_task(world.outcome())
    await world.reached("hold", 2)
    await asyncio.sleep(0.06)
    world.steps.gates["collect"].set()

    assert await leader == "504 TimedOut"
    assert await joiner == "miss 1"
    assert world.leaks() == []


async def test_who_joined_leaves_when_their_own_time_for_the_start_is_over(world: Any) -> None:
    world.jobs.busy = True
    leader = asyncio.create_task(world.outcome())
    await world.reached("hold")
    assert await world.outcome(start_within_s=0.05) == "504 TimedOut"

    (job_id,) = world.jobs.jobs
    world.jobs.give_turn(job_id)
    assert await leader == "miss 1"


async def test_who_joined_what_has_started_waits_for_it(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    leader = asyncio.create_task(world.outcome())
    await world.reached("collect")
    joiner = asyncio.create_task(world.outcome(start_within_s=0.05))
    await asyncio.sleep(0.1)
    assert not joiner.done()
    world.steps.gates["collect"].set()

    assert (await leader, await joiner) == ("miss 1", "coalesced 1")


async def test_a_kept_request_that_joined_ends_when_its_time_for_the_start_is_over(
    world: Any,
) -> None:
    world.jobs.busy = True
    leader = asyncio.create_task(world.outcome())
    await world.reached("hold")
    call = replace(world.call(start_within_s=0.05), request_id="k")
    await world.processes[0].works.queue.submit(call)
    await world.until(lambda: world.jobs.requests.kept["k"].ended)
    assert world.jobs.requests.kept["k"].failure.status == 504

    (job_id,) = world.jobs.jobs
    world.jobs.give_turn(job_id)
    assert await leader == "miss 1"

"""Kept requests: looked after to their end, whoever dies, and taken back."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.core.errors import InputRejected, Unavailable
from falgate.core.money_errors import BudgetExhausted
from falgate.fal.replies import Failed, FalAnswer, Lost, Rejected, Unsent
from falgate.jobs.queue_errors import AlreadyCompleted, KeyReused, RequestUnknown
from falgate.jobs.request import QueuedRequest
from falgate.requests.owner import Owner

OWNER = Owner("live", "t", "a")


def refusal(status: int) -> FalAnswer:
    return FalAnswer(status, {"detail": "no"}, {})


async def submit(world: Any, name: str = "r", at: int = 0, key: str = "", **asked: Any) -> Any:
    call = replace(world.call(**asked), request_id=name)
    return await world.processes[at].works.queue.submit(call, key=key)


async def ended(world: Any, name: str = "r") -> QueuedRequest:
    await world.until(lambda: world.jobs.requests.kept[name].ended)
    found: QueuedRequest = world.jobs.requests.kept[name]
    return found


async def cancel(world: Any, name: str = "r", owner: Owner = OWNER) -> None:
    await world.processes[0].works.cancelling.cancel(owner, name, "acme/easel")


async def test_a_request_is_kept_before_its_caller_is_told(world: Any) -> None:
    world.steps.gates["mark"] = asyncio.Event()
    request = await submit(world)

    assert (request.state, request.leads, world.jobs.held) == ("open", True, 107)
    world.steps.gates["mark"].set()
    request = await ended(world)
    assert request.answer is not None
    assert (request.state, request.answer.source, request.answer.billed) == ("done", "miss", 103)
    await world.reached("answered miss 103")
    assert world.leaks() == []


async def test_what_is_there_already_ends_at_once(world: Any) -> None:
    await world.ask()
    request = await submit(world)

    assert (request.state, request.answer.source, request.job) == ("done", "hit", "")


async def test_who_joins_is_answered_for_nothing(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    await submit(world, "r")
    joined = await submit(world, "s")
    assert not joined.leads
    world.steps.gates["collect"].set()

    first, second = await ended(world, "r"), await ended(world, "s")
    assert first.answer is not None
    assert second.answer is not None
    assert (second.answer.source, second.answer.billed) == ("coalesced", 0)
    assert first.answer.pictures == second.answer.pictures
    assert len(world.shop.posts) == 1


async def test_what_the_budget_refuses_is_refused_at_once_and_not_kept(world: Any) -> None:
    world.steps.limit = 100
    with pytest.raises(BudgetExhausted):
        await submit(world)
    assert world.jobs.requests.kept == {}


async def test_wrong_input_is_kept_with_its_problems(world: Any) -> None:
    call = world.call()
    caller: Any = type("Caller", (), {"key": call.key})
    rejection = InputRejected([{"type": "missing", "loc": ["body"], "msg": "Field required"}])
    queue = world.processes[0].works.queue
    request = await queue.reject(caller, call.spec, rejection, request_id="r")

    assert (request.state, request.failure.status, request.failure.error_type) == (
        "failed",
        422,
        "missing",
    )


ENDINGS: dict[str, tuple[Any, Any, int]] = {
    "fal refuses the input": (Rejected(refusal(422)), None, 422),
    "fal refuses our key": (Rejected(refusal(401)), None, 500),
    "fal fails": (None, Failed(refusal(500), None), 500),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_what_fal_says_is_how_a_request_ends(world: Any, name: str) -> None:
    submission, result, status = ENDINGS[name]
    if submission:
        world.shop.submissions.append(submission)
    if result:
        world.shop.results.append(result)
    await submit(world)
    request = await ended(world)

    assert request.failure is not None
    assert (request.state, request.failure.status) == ("failed", status)
    assert world.leaks() == []


async def test_a_request_waits_until_an_unknown_outcome_is_settled(world: Any) -> None:
    world.shop.submissions.append(Lost("no reply"))
    await submit(world)
    await world.reached("uncertain lost")
    await world.at_rest()
    assert not world.jobs.requests.kept["r"].ended

    await world.reap(901)
    request = await ended(world)
    assert request.failure is not None
    assert request.failure.status == 504
    assert world.leaks() == []


@pytest.mark.parametrize("refused", [Unsent("no route"), Rejected(refusal(429))])
async def test_a_request_tries_again_while_fal_is_away_or_busy(
    world: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.requests.worker._PAUSE_PART", 0.001)
    world.shop.submissions.append(refused)
    await submit(world)
    request = await ended(world)

    assert request.answer is not None
    assert len(world.jobs.jobs) == 2
    assert world.leaks() == []


async def test_a_job_that_waits_for_its_turn_outlives_its_instance(world: Any) -> None:
    world.jobs.busy = True
    await submit(world)
    other = world.open()
    world.processes.append(other)
    await world.processes[0].purchases.close(0)
    await world.processes[0].works.driver.close()
    world.jobs.waiting.clear()

    await world.reap(31, at=1)
    running = asyncio.create_task(other.works.driver.run())
    request = await ended(world)
    running.cancel()
    assert request.answer is not None
    assert request.answer.source == "miss"
    assert len(world.shop.posts) == 1
    assert world.leaks() == []


async def test_a_request_is_driven_on_by_another_instance(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    await submit(world)
    await world.reached("collect")
    other = world.open()
    world.processes.append(other)
    await world.processes[0].works.driver.close()  # hands its requests over
    world.steps.gates["collect"].set()

    running = asyncio.create_task(other.works.driver.run())
    assert (await ended(world)).answer is not None
    running.cancel()


async def test_an_end_is_written_when_redis_is_back(world: Any) -> None:
    world.steps.fail("end", Unavailable("away"), times=3)
    await submit(world)

    assert (await ended(world)).state == "done"


async def test_taken_back_before_its_turn_the_money_is_given_back(world: Any) -> None:
    world.jobs.busy = True
    await submit(world)
    await cancel(world)
    request = await ended(world)

    assert request.failure is not None
    assert (request.state, request.failure.status) == ("cancelled", 499)
    assert (world.jobs.held, world.shop.posts) == (0, [])
    await world.at_rest()
    assert world.leaks() == []


async def test_taken_back_while_others_wait_the_job_goes_on(world: Any) -> None:
    world.jobs.busy = True
    await submit(world, "r")
    await submit(world, "s")
    await cancel(world, "r")
    assert world.jobs.held == 107
    (job_id,) = world.jobs.jobs
    world.jobs.give_turn(job_id)

    request = await ended(world, "s")
    assert request.answer is not None
    assert request.answer.source == "coalesced"


async def test_taken_back_under_way_fal_is_asked_and_its_end_decides(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    world.shop.results.append(Failed(refusal(499), "0"))
    await submit(world)
    await world.reached("collect")
    await cancel(world)

    assert "cancel acme/easel fal-1" in world.effects()
    assert world.jobs.held == 107
    world.steps.gates["collect"].set()
    await world.at_rest()
    assert (world.jobs.held, world.jobs.spent) == (0, 0)


async def test_who_joined_what_was_taken_back_buys_for_themselves(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    world.shop.results.append(Failed(refusal(499), "0"))
    await submit(world, "r")
    await world.reached("collect")
    await cancel(world, "r")
    late = await submit(world, "s")
    assert not late.leads
    world.steps.gates["collect"].set()

    request = await ended(world, "s")
    assert request.answer is not None
    assert (request.answer.source, request.leads) == ("miss", True)
    assert world.leaks() == []


async def test_only_what_is_open_and_ones_own_can_be_taken_back(world: Any) -> None:
    await submit(world)
    await ended(world)
    with pytest.raises(AlreadyCompleted):
        await cancel(world)
    for owner in (Owner("test", "t", "a"), Owner("live", "t", "b"), Owner("live", "u", "a")):
        with pytest.raises(RequestUnknown):
            await cancel(world, owner=owner)


async def test_a_key_of_the_callers_names_one_request(world: Any) -> None:
    first = await submit(world, "r", key="mine")
    again = await submit(world, "s", key="mine")
    assert again.asked.id == first.asked.id == "r"
    with pytest.raises(KeyReused):
        await submit(world, "u", key="mine", prompt="another")
    await ended(world)
    assert (await submit(world, "v", key="mine")).asked.id == "r"


async def test_new_pictures_take_the_place_of_the_old_ones(world: Any) -> None:
    await world.ask()
    request = await submit(world, cache="no-cache")
    assert request.leads
    request = await ended(world)
    assert request.answer is not None
    assert (request.answer.source, request.answer.billed) == ("bypass", 103)

    again = await submit(world, "s", cache="no-cache")
    assert again.asked.id == "r"
    usual = await submit(world, "u")
    assert usual.answer.pictures == request.answer.pictures
    assert world.leaks() == []


async def test_what_is_bought_aside_stays_out_of_the_pool(world: Any) -> None:
    old = await world.ask()
    await submit(world, cache="no-store")
    await ended(world)

    assert (await submit(world, "s")).answer.pictures == old.pictures

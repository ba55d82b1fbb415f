"""fal says that it has a model no more: what that costs, who hears it, and what goes on."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.accounts.retirement import Ended
from falgate.core.errors import ModelRetired
from falgate.fal.replies import Failed, FalAnswer, Rejected

ENDED = Ended("acme/easel", "acme/easel-2", "serve-cached")
NO_APPLICATION = FalAnswer(404, {"detail": 'Application "easel" not found'}, {})
RETIRED = FalAnswer(410, {"detail": "retired"}, {})
NO_MODEL = FalAnswer(422, {"detail": [{"type": "model_not_found", "msg": "gone"}]}, {})


def over(world: Any, wanted: int = 1, **more: Any) -> Any:
    """A call for a model that has ended."""
    return replace(world.call(wanted, **more), ended=ENDED)


@pytest.mark.parametrize("answer", [NO_APPLICATION, RETIRED], ids=["404", "410"])
async def test_a_submit_to_a_model_that_is_gone_costs_nothing_and_is_told_so(
    world: Any, answer: FalAnswer
) -> None:
    world.shop.submissions = [Rejected(answer)]

    assert await world.outcome() == "410 UpstreamRefused"
    assert world.gone.noted == [f"fal {world.call().spec.endpoint}"]
    assert (world.jobs.spent, world.jobs.held, world.leaks()) == (0, 0, [])


async def test_a_result_that_says_so_is_noted_and_passed_on(world: Any) -> None:
    world.shop.results = [Failed(NO_MODEL, "0")]

    assert await world.outcome() == "422 UpstreamRefused"
    assert world.gone.noted == [f"fal {world.call().spec.endpoint}"]
    assert (world.jobs.spent, world.jobs.held, world.leaks()) == (0, 0, [])


async def test_a_model_that_is_sold_again_is_gone_no_more(world: Any) -> None:
    await world.gone.note("fal", world.call().spec.endpoint)

    assert await world.outcome() == "miss 1"
    assert world.gone.noted == []


async def test_of_a_model_that_has_ended_hits_go_on_and_nothing_is_held(world: Any) -> None:
    await world.ask(1, "a dog")
    answers = world.processes[0].answers

    assert (await answers.answer(over(world, prompt="a dog"))).source == "hit"
    before = len(world.steps.did)
    with pytest.raises(ModelRetired, match=r"has ended.*its successor is acme/easel-2"):
        await answers.answer(over(world, prompt="a cat"))
    assert "submit" not in world.steps.did[before:]
    assert world.jobs.held == 0


async def test_a_request_for_new_pictures_of_a_model_that_has_ended_is_refused(world: Any) -> None:
    await world.ask(1, "a dog")

    with pytest.raises(ModelRetired, match="has ended"):
        await world.processes[0].answers.answer(over(world, prompt="a dog", cache="no-cache"))


async def test_what_is_being_bought_when_a_model_ends_is_for_all_that_wait(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    buying = asyncio.create_task(world.outcome(1, "a dog", request_id="first"))
    await world.reached("collect")
    late = over(world, prompt="a dog", request_id="second")
    joining = asyncio.create_task(world.processes[0].answers.answer(late))
    await world.until(lambda: world.steps.did.count("pool") >= 2)
    world.steps.gates["collect"].set()

    assert await buying == "miss 1"
    assert (await joining).source == "coalesced"
    assert world.leaks() == []

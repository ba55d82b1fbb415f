"""Stops in the flow of a purchase: hits go on, what is under way comes, nothing is bought."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.core.account import ORGANISATION
from falgate.core.errors import Unavailable
from falgate.core.money_errors import StoppedByOperator
from falgate.fal.replies import Unsent
from falgate.money.stop import Stop

STOPPED = "402 StoppedByOperator"


def stop(world: Any) -> None:
    world.jobs.stops[ORGANISATION] = Stop(who="ann", stopped_s=1, why="a leak")


async def submit(world: Any, name: str) -> Any:
    call = replace(world.call(), request_id=name)
    return await world.processes[0].works.queue.submit(call)


async def test_hits_go_on_and_what_is_missing_is_refused(world: Any) -> None:
    assert await world.outcome(2) == "miss 2"
    stop(world)

    assert await world.outcome(2) == "hit 2"
    assert await world.outcome(1) == "hit 1"
    for refused in ({"wanted": 3}, {"prompt": "a dog"}, {"cache": "no-cache"}, {"kind": "test"}):
        assert await world.outcome(**refused) == STOPPED
    assert (world.jobs.held, len(world.shop.posts)) == (0, 1)

    del world.jobs.stops[ORGANISATION]
    assert await world.outcome(prompt="a dog") == "miss 1"
    assert world.leaks() == []


@pytest.mark.parametrize("step", ["turn", "mark", "submit", "collect", "settle"])
async def test_a_purchase_under_way_is_delivered_to_all_who_wait_for_it(
    step: str, world: Any
) -> None:
    world.steps.gates[step] = asyncio.Event()
    leader = asyncio.create_task(world.outcome())
    await world.until(lambda: world.jobs.held > 0)
    stop(world)
    joiner = asyncio.create_task(world.outcome(request_id="s"))
    more = asyncio.create_task(world.outcome(2, request_id="t"))
    await world.reached("hold", 3)
    kept = await submit(world, "u")
    world.steps.gates[step].set()

    assert (await leader, await joiner, await more) == ("miss 1", "coalesced 1", STOPPED)
    await world.until(lambda: world.jobs.requests.kept["u"].ended)
    assert (kept.state, world.jobs.requests.kept["u"].state) == ("open", "done")
    assert len(world.shop.posts) == 1
    assert world.leaks() == []


async def test_a_queued_request_that_would_have_to_buy_is_refused_and_not_kept(world: Any) -> None:
    stop(world)
    with pytest.raises(StoppedByOperator, match="a leak"):
        await submit(world, "r")
    assert world.jobs.requests.kept == {}


async def test_a_queued_request_that_would_have_to_buy_again_ends_with_the_refusal(
    world: Any,
) -> None:
    world.steps.gates["submit"] = asyncio.Event()
    world.shop.submissions = [Unsent("nobody there")]
    await submit(world, "r")
    await world.reached("submit")
    stop(world)
    world.steps.gates["submit"].set()
    await world.until(lambda: world.jobs.requests.kept["r"].ended)

    failure = world.jobs.requests.kept["r"].failure
    assert (failure.status, failure.error_type) == (402, "buying_stopped")
    assert world.jobs.held == world.jobs.spent == 0
    assert world.leaks() == []


async def test_what_is_stopped_is_refused_for_good_even_while_the_store_is_full(
    world: Any,
) -> None:
    world.pictures.full = True
    assert await world.outcome() == "503 StoreUnavailable"
    stop(world)

    # A 503 would make clients try again and again, for nothing.
    assert await world.outcome() == STOPPED


async def test_without_redis_nothing_is_bought_stopped_or_not(world: Any) -> None:
    for stops in (False, True):
        if stops:
            stop(world)
        world.steps.fail("hold", Unavailable("no Redis"))
        assert await world.outcome() == "503 Unavailable"
    assert (world.jobs.held, world.shop.posts) == (0, [])

"""Equal requests under way at once, of an app that wants different pictures."""

import asyncio
from typing import Any

import pytest

from falgate.cache.pool import PoolVersion
from falgate.core.errors import Refusal, TimedOut
from falgate.fal.replies import Lost
from falgate.jobs.places import app_pool


async def together(world: Any, *wanted: int, processes: int = 1) -> list[Any]:
    """What each of several callers gets, who are all on the line before anybody is answered."""
    gates = {name: asyncio.Event() for name in ("submit", "keep places")}
    world.steps.gates |= gates
    taken = sum(did.startswith("take") for did in world.steps.did)
    callers = [ask(world, f"r{at}", number, at=at % processes) for at, number in enumerate(wanted)]
    await world.reached("take", taken + len(callers))
    await settled()
    for gate in gates.values():
        gate.set()
    return await asyncio.gather(*callers)


def ask(world: Any, request_id: str, wanted: int = 1, at: int = 0, **more: Any) -> Any:
    """One caller, on the line."""
    call = world.call(wanted, identical="distinct", request_id=request_id, **more)
    return asyncio.create_task(world.processes[at].answers.answer(call))


async def settled() -> None:
    """Let everybody come as far as they get."""
    for _ in range(200):
        await asyncio.sleep(0)


def names(*answers: Any) -> list[str]:
    return [picture.sha256 for answer in answers for picture in answer.pictures]


def holds(world: Any) -> dict[str, str]:
    """What is somebody's of the usual pool."""
    taken: dict[str, str] = world.jobs.places.taken(app_pool(world.call()))
    return taken


async def test_several_at_once_buy_each_a_picture_and_later_have_them_for_nothing(
    world: Any,
) -> None:
    first = await together(world, 1, 1, 1)
    assert len(set(names(*first))) == 3
    assert (len(world.shop.posts), world.shop.pictures_sold) == (3, 3)

    found = await together(world, 1, 1, 1)

    assert sorted(names(*found)) == sorted(names(*first))
    assert {answer.source for answer in found} == {"hit"}
    assert len(world.shop.posts) == 3
    assert holds(world) == {}
    assert world.leaks() == []


async def test_it_is_the_same_wherever_they_ask(world: Any) -> None:
    world.processes.append(world.open())
    for _ in range(2):
        assert len(set(names(*await together(world, 1, 1, 1, 1, processes=2)))) == 4
    assert world.shop.pictures_sold == 4
    assert world.leaks() == []


async def test_a_lone_request_is_a_hit_on_the_first_picture(world: Any) -> None:
    first = await together(world, 1, 1)
    for _ in range(2):
        assert names(await ask(world, "lone")) == [
            world.pools.pools[pool(world)].pictures[0].sha256
        ]
    assert world.shop.pictures_sold == len(first)


def pool(world: Any) -> str:
    fingerprint: str = world.call().fingerprint
    return fingerprint


async def test_what_is_missing_is_bought_and_no_more(world: Any) -> None:
    await ask(world, "before", 3)
    found = await together(world, 2, 2, 1)
    assert len(set(names(*found))) == 5
    assert [answer.source for answer in found] == ["hit", "partial", "miss"]
    assert [answer.bought for answer in found] == [0, 1, 1]
    assert world.shop.pictures_sold == 5
    assert world.leaks() == []


async def test_who_shares_is_not_held_up(world: Any) -> None:
    first = await together(world, 1, 1)
    assert await world.outcome(2) == "hit 2"
    assert len(first) == world.shop.pictures_sold


async def test_who_shares_asks_redis_for_no_places(world: Any) -> None:
    world.steps.fail("take", AssertionError("asked"), times=9)
    world.steps.fail("keep places", AssertionError("asked"), times=9)
    assert [await world.outcome(2) for _ in range(2)] == ["miss 2", "hit 2"]


async def test_an_answer_is_held_back_so_that_the_next_one_can_be_another(world: Any) -> None:
    """Each comes when the one before has long been looked up."""
    await ask(world, "before", 3)
    world.processes.append(world.open(distinct_wait_s=5))
    callers = []
    for at in range(3):
        callers.append(ask(world, f"r{at}", at=1))
        await world.reached("take", len(callers) + 1)
        await settled()
    assert not any(caller.done() for caller in callers)
    assert len(set(holds(world).values())) == 3
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    assert holds(world) == {}


async def test_a_purchase_is_joined_by_one_of_an_app_and_only_while_it_is_free(world: Any) -> None:
    """Of a caller that shares, the first who wants its own waits for the same picture."""
    world.steps.gates["submit"] = asyncio.Event()
    sharing = asyncio.create_task(world.ask())
    await world.until(lambda: len(world.jobs.jobs) == 1)
    callers = [ask(world, "r1"), ask(world, "r2")]
    await world.until(lambda: len(world.jobs.jobs) == 2)
    await settled()
    world.steps.gates["submit"].set()

    found = await asyncio.gather(sharing, *callers)
    assert sorted(answer.source for answer in found) == ["coalesced", "miss", "miss"]
    assert len(set(names(*found[1:]))) == 2
    assert world.shop.pictures_sold == 2


async def test_who_left_and_sends_again_joins_what_it_began(world: Any) -> None:
    world.steps.gates["submit"] = asyncio.Event()
    calls = [world.call(identical="distinct", request_id=f"r{at}") for at in range(2)]
    gone = [asyncio.create_task(world.processes[0].answers.answer(call)) for call in calls]
    await world.until(lambda: len(world.jobs.jobs) == 2)
    for call in calls:
        await world.processes[0].works.together.left(call)

    again = [ask(world, f"again{at}") for at in range(2)]
    await settled()
    world.steps.gates["submit"].set()

    found = await asyncio.gather(*again)
    assert [answer.source for answer in found] == ["coalesced", "coalesced"]
    assert len(set(names(*found))) == 2
    await asyncio.gather(*gone)
    assert world.shop.pictures_sold == 2
    assert world.leaks() == []


async def test_nothing_more_is_bought_for_who_left(world: Any) -> None:
    """Its purchase came to nothing, and there is nobody to try again for."""
    world.steps.gates["hold"] = asyncio.Event()
    call = world.call(identical="distinct")
    caller = asyncio.create_task(world.processes[0].answers.answer(call))
    await world.reached("hold")
    await world.processes[0].works.together.left(call)
    world.jobs.flights[call.fingerprint] = PoolVersion(10**15, 1)  # It has to look again.
    world.steps.gates["hold"].set()

    with pytest.raises(TimedOut):
        await caller
    assert world.jobs.jobs == {}


async def test_fal_losing_one_does_not_buy_it_twice(world: Any) -> None:
    """As long as nobody knows what became of it, who asks again waits for the same purchase."""
    world.shop.submissions = [Lost("reset")]
    with pytest.raises(Refusal):
        await ask(world, "r1")
    with pytest.raises(Refusal):
        await ask(world, "r2")
    assert len(world.shop.posts) == 1


async def test_new_pictures_for_all_are_one_purchase_that_is_sent_again(world: Any) -> None:
    call = world.call(identical="distinct", cache="no-cache")
    assert not call.treatment.distinct


async def test_places_are_kept_while_a_caller_waits_and_free_when_its_process_died(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.jobs.places._LEASE_MS", 10)
    world.steps.gates["submit"] = asyncio.Event()
    caller = ask(world, "r1")
    await world.until(lambda: len(world.jobs.jobs) == 1)
    world.steps.now_ms += 10_000  # Longer than a lease, and shorter than its job's.
    assert holds(world) == {}

    await world.until(lambda: holds(world) != {})

    world.steps.gates["submit"].set()
    await caller
    assert holds(world) == {}

"""One purchase for all who ask: what a flight shares, and what it keeps to its leader."""

import asyncio
from typing import Any

import pytest
from patience import PATIENCE_S

from falgate.cache.pool import PoolVersion
from falgate.core.errors import TimedOut, Unavailable, UpstreamRefused
from falgate.core.picture import Pool
from falgate.fal.replies import Delivered, DownloadFailed, Failed, FalAnswer, Lost, Rejected, Unsent


async def ask_together(world: Any, *wanted: int) -> list[str]:
    """What each of several callers hears, who all ask before fal answers."""
    world.steps.gates["collect"] = asyncio.Event()
    world.steps.gates["submit"] = asyncio.Event()
    callers = [asyncio.create_task(world.outcome(number)) for number in wanted]
    await world.reached("hold", len(wanted))
    for gate in world.steps.gates.values():
        gate.set()
    heard: list[str] = await asyncio.gather(*callers)
    return heard


async def test_who_asks_meanwhile_joins_and_pays_nothing(world: Any) -> None:
    assert await ask_together(world, 2, 2, 1) == ["miss 2", "coalesced 2", "coalesced 1"]
    assert (world.jobs.spent, len(world.shop.posts)) == (206, 1)
    billed = [event.billed for event in world.facts.events if hasattr(event, "billed")]
    assert sorted(billed) == [0, 0, 206]


async def test_two_processes_share_a_flight(world: Any) -> None:
    world.processes.append(world.open())
    world.steps.gates["collect"] = asyncio.Event()
    leader = asyncio.create_task(world.outcome(at=0))
    await world.reached("collect")
    joiner = asyncio.create_task(world.outcome(at=1))
    await asyncio.sleep(0)
    world.steps.gates["collect"].set()

    assert (await leader, await joiner) == ("miss 1", "coalesced 1")
    assert len(world.shop.posts) == 1


async def test_who_wants_more_than_the_flight_brings_buys_the_rest(world: Any) -> None:
    assert await ask_together(world, 1, 3) == ["miss 1", "partial 3"]
    assert (world.jobs.spent, len(world.shop.posts)) == (309, 2)
    assert world.leaks() == []


async def test_equal_calls_of_test_keys_never_meet_live_ones(world: Any) -> None:
    assert await world.outcome() == "miss 1"
    assert await world.outcome(kind="test") == "miss 1"
    assert (len(world.shop.posts), len(world.sandbox.posts)) == (1, 1)


SHARED = {
    "refused input": (Rejected(FalAnswer(422, {"detail": "no"}, {})), None, "422 UpstreamRefused"),
    "our key": (Rejected(FalAnswer(401, {"detail": "no"}, {})), None, "500 UpstreamUnusable"),
    "pace": (Rejected(FalAnswer(429, {"detail": "no"}, {})), None, "503 Unavailable"),
    "unreachable": (Unsent("refused"), None, "503 Unavailable"),
    "lost submit": (Lost("reset"), None, "504 TimedOut"),
    "fal failed": (None, Failed(FalAnswer(500, {}, {}), None), "500 UpstreamRefused"),
    "lost result": (None, Lost("forgotten"), "504 TimedOut"),
    "nothing delivered": (None, Delivered({"images": []}, "0"), "422 UpstreamRefused"),
}


@pytest.mark.parametrize(("submission", "result", "outcome"), SHARED.values(), ids=SHARED)
async def test_what_fal_said_is_shared(
    world: Any, submission: Any, result: Any, outcome: str
) -> None:
    world.shop.submissions = [submission] if submission else []
    world.shop.results = [result] if result else []

    assert await ask_together(world, 1, 1) == [outcome, outcome]
    assert len(world.shop.posts) == 1
    assert world.leaks() == []


async def test_a_leader_without_budget_leaves_no_flight_to_join(world: Any) -> None:
    """Whoever comes next is judged by what is left then, not by the first one's refusal."""
    world.steps.limit = 150

    assert await ask_together(world, 2, 1) == ["402 BudgetExhausted", "miss 1"]


async def test_who_joined_a_purchase_that_was_given_up_tries_again(world: Any) -> None:
    """Nobody works on the leader's job; the reaper releases it, and the joiner buys."""
    world.steps.fail("hold", Unavailable("away"), after=True)
    assert await world.outcome() == "503 Unavailable"
    joiner = asyncio.create_task(world.outcome())
    await world.reached("hold", 2)
    world.steps.now_ms += 31_000
    await world.processes[0].reaper.look("fal")

    assert await joiner == "miss 1"
    assert world.leaks() == []


async def test_trying_again_is_bounded(world: Any) -> None:
    """Every flight that is joined delivers less than the caller wants."""
    await world.ask()
    [known] = world.pools.pools
    world.jobs.flights[known] = next(iter(world.jobs.jobs))
    before = len(world.steps.did)

    with pytest.raises(TimedOut) as refused:
        await world.ask(2)
    assert refused.value.headers()["X-Fal-Request-Timeout-Type"] == "user"
    assert sum(did.startswith("hold") for did in world.steps.did[before:]) == 4


async def test_pictures_that_are_not_as_asked_are_shared_but_not_kept(world: Any) -> None:
    world.pictures.sides = (9, 9)

    assert await ask_together(world, 1, 1) == ["miss 1", "coalesced 1"]
    assert (world.pools.pools, len(world.shop.posts)) == ({}, 1)


async def test_pictures_that_cannot_be_fetched_are_shared_as_fal_has_them(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("403"), times=3)

    assert await ask_together(world, 1, 1) == ["miss 0+1", "coalesced 0+1"]


async def test_nobody_gets_more_of_fal_s_own_files_than_asked(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("403"), times=9)
    files = [{"url": f"https://pictures/{index}"} for index in range(3)]
    world.shop.results = [Delivered({"images": files}, "3")]

    assert await ask_together(world, 2, 1) == ["miss 0+2", "coalesced 0+1"]


async def test_what_the_pool_has_comes_before_what_could_not_be_fetched(world: Any) -> None:
    await world.ask()
    world.steps.fail("download", DownloadFailed("403"), times=3)
    world.steps.did.clear()

    assert await ask_together(world, 2, 2) == ["partial 1+1", "coalesced 1+1"]


async def test_who_wants_more_than_could_be_fetched_is_told_to_ask_again(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("403"), times=3)

    assert await ask_together(world, 1, 3) == ["miss 0+1", "504 TimedOut"]
    assert len(world.shop.posts) == 1


async def test_a_publication_since_the_look_is_looked_at_again(world: Any) -> None:
    """The pool was read before a flight landed; the hold is asked for after it."""
    call = world.call()
    world.steps.gates["hold"] = asyncio.Event()
    late = asyncio.create_task(world.outcome())
    await world.reached("hold")
    held_back, world.steps.gates = world.steps.gates, {}
    assert await world.outcome() == "miss 1"
    before = len(world.steps.did)
    held_back["hold"].set()

    assert await late == "hit 1"
    assert world.effects(before) == "pool, answered hit 0"
    assert isinstance(world.jobs.flights[call.fingerprint], PoolVersion)


async def test_a_marker_whose_pool_is_lost_is_no_obstacle(world: Any) -> None:
    await world.ask()
    world.pools.pools.clear()
    before = len(world.steps.did)

    assert await world.outcome() == "miss 1"
    assert world.effects(before).startswith("pool, hold 107, pool, hold 107, mark, submit")
    assert (len(world.shop.posts), world.leaks()) == (2, [])


async def test_a_later_generation_is_news_however_few_pictures_it_has(world: Any) -> None:
    await world.ask(2)
    [(fingerprint, known)] = world.pools.pools.items()
    world.pools.pools.clear()
    before = len(world.steps.did)
    caller = asyncio.create_task(world.outcome(2))
    await world.reached("hold", 2)
    world.steps.gates["pool"] = gate = asyncio.Event()
    await world.reached("pool", 3)
    world.pools.pools[fingerprint] = Pool(known.generation + 1, known.pictures[:1])
    world.jobs.flights[fingerprint] = PoolVersion(known.generation + 1, 1)
    gate.set()

    assert await caller == "partial 2"
    assert world.effects(before).startswith("pool, hold 214, pool, hold 107, mark, submit")


async def test_a_hit_asks_only_for_the_pool(world: Any) -> None:
    await world.ask(2)
    before = len(world.steps.did)

    assert await world.outcome(2) == "hit 2"
    assert world.effects(before) == "pool, answered hit 0"


async def test_a_top_up_of_a_pool_that_was_replaced_serves_its_caller_only(world: Any) -> None:
    await world.ask()
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.ask(2))
    await world.reached("collect", 2)
    [fingerprint] = world.pools.pools
    replaced = Pool(world.pools.pools[fingerprint].generation + 1, ())
    world.pools.pools[fingerprint] = replaced
    world.steps.gates["collect"].set()

    assert len((await caller).pictures) == 2
    assert world.pools.pools[fingerprint] == replaced
    assert world.jobs.flights == {}


async def test_a_caller_who_goes_away_stops_nothing(world: Any) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    caller = asyncio.create_task(world.ask())
    await world.reached("collect")
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    world.steps.gates["collect"].set()
    await world.at_rest()

    assert world.steps.did[-1] == "finish 1"
    assert await world.outcome() == "hit 1"


async def test_a_caller_waits_no_longer_than_agreed_and_finds_the_pictures_later(
    world: Any,
) -> None:
    world.processes[0] = world.open(wait_s=0.02)
    world.steps.gates["collect"] = asyncio.Event()

    assert await world.outcome(start_within_s=PATIENCE_S) == "504 TimedOut"
    world.steps.gates["collect"].set()
    await world.at_rest()
    assert await world.outcome() == "hit 1"


async def test_a_refusal_that_was_paid_for_says_so_to_who_paid_and_to_nobody_else(
    world: Any,
) -> None:
    world.steps.gates["collect"] = asyncio.Event()
    no = FalAnswer(
        422, {"detail": [{"type": "content_policy_violation"}]}, {"x-fal-needs-retry": "0"}
    )
    world.shop.results.append(Failed(no, None))
    callers = [asyncio.create_task(world.ask()) for _ in range(2)]
    await world.reached("hold", 2)
    world.steps.gates["collect"].set()

    heard: list[Any] = await asyncio.gather(*callers, return_exceptions=True)

    assert [refusal.headers() for refusal in heard] == [
        {"X-Falgate-Cost-Usd": "0.000107", "x-fal-needs-retry": "0"},
        {"x-fal-needs-retry": "0"},
    ]


async def test_a_refusal_that_cost_nothing_names_no_cost(world: Any) -> None:
    world.shop.results.append(Failed(FalAnswer(422, {"detail": "no"}, {}), "0"))

    with pytest.raises(UpstreamRefused) as refused:
        await world.ask()
    assert refused.value.headers() == {}

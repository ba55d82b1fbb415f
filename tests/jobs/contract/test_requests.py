"""What the port of the queue promises, in memory and on Redis."""

from collections.abc import Callable

import pytest
from asking import UPSTREAM
from msgspec.structs import replace
from sides import RELEASED, Side, kept, on_the_line, queued

from falgate.fal.progress import Progress
from falgate.jobs.answer import Answer
from falgate.jobs.job import Order
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import CANCELLED, Outcome, State
from falgate.jobs.verdicts import Joined, Mismatched, Repeated

Orders = Callable[..., Order]
NOTHING = Answer(source="hit", pictures=())
WORKING = Progress(phase="IN_PROGRESS", logs=({"message": "hm"},))


@pytest.mark.parametrize(
    ("state", "outcome"), [("done", NOTHING), ("failed", CANCELLED), ("cancelled", CANCELLED)]
)
async def test_the_end_is_written_once_and_takes_the_prompt_away(
    state: State, outcome: Outcome, side: Side, order: Orders
) -> None:
    await side.hold(order("a"), waiter=queued())
    request = await side.request("r")
    assert await side.requests.end(request, state, outcome) == 0

    ended = await side.request("r")
    assert ended.began_ms <= ended.ended_ms <= await side.jobs.now_ms()
    assert ended == replace(
        request,
        asked=replace(request.asked, arguments={}),
        state=state,
        ended_ms=ended.ended_ms,
        answer=outcome if outcome is NOTHING else None,
        failure=None if outcome is NOTHING else outcome,
    )
    assert await side.requests.end(request, "done", NOTHING) is None
    assert await side.requests.end(request, "cancelled", CANCELLED) is None
    assert await side.request("r") == ended
    assert not await side.requests.depend_on("f")


async def test_a_request_ends_with_the_job_that_was_read_but_is_cancelled_anyway(
    side: Side, order: Orders
) -> None:
    await side.hold(order("a"), waiter=queued())
    other = replace(await side.request("r"), job="z")
    assert await side.requests.end(other, "done", NOTHING) is None
    assert await side.requests.end(other, "failed", CANCELLED) is None
    nobody = replace(other, asked=replace(other.asked, id="nobody"))
    assert await side.requests.end(nobody, "cancelled", CANCELLED) is None
    assert await side.requests.end(other, "cancelled", CANCELLED) == 0
    assert (await side.request("r")).job == "a"


async def test_a_request_that_is_cancelled_leaves_the_flight_that_it_waits_for_by_now(
    side: Side, order: Orders
) -> None:
    first = await side.bring(order("a", fresh="aside"), "reserved", queued())
    read = await side.request("r")
    await side.hold(order("x", fresh="aside"), waiter=on_the_line("s"))
    await side.jobs.settle(first, RELEASED)
    await side.hold(order("b", fresh="aside"), waiter=queued(was_job="a"))
    assert (await side.request("r")).flight == "f.b"

    assert await side.requests.end(read, "cancelled", CANCELLED) == 0

    assert not await side.requests.depend_on("f.b")


async def test_an_end_tells_how_many_others_wait(side: Side, order: Orders) -> None:
    await side.hold(order("a"), waiter=queued("r"))
    for waiter in (queued("s"), on_the_line("t"), on_the_line("u", 120_000), on_the_line("v", 0)):
        assert await side.hold(order("b"), waiter=waiter) == Joined("a")
    assert await side.hold(order("b")) == Joined("a")

    assert await side.requests.end(await side.request("r"), "done", NOTHING) == 3
    await side.requests.leave("f", "s")
    await side.later(60_000)
    assert await side.requests.end(await side.request("s"), "done", NOTHING) == 1


async def test_a_flight_has_dependents_while_kept_requests_wait(side: Side, order: Orders) -> None:
    assert not await side.requests.depend_on("f")
    await side.hold(order("a"), waiter=on_the_line("r"))
    assert not await side.requests.depend_on("f")
    await side.hold(order("b"), waiter=queued("s"))
    await side.later(10_000_000)
    assert await side.requests.depend_on("f")
    assert not await side.requests.depend_on("g")
    await side.requests.leave("f", "s")
    await side.requests.leave("f", "nobody")
    assert not await side.requests.depend_on("f")


async def test_what_has_its_end_already_is_kept_with_it_once(side: Side) -> None:
    assert await side.requests.put(kept(), "done", NOTHING) is None
    request = await side.request("r")
    assert await side.requests.put(kept(), "failed", CANCELLED) is None

    assert await side.request("r") == request
    assert (request.state, request.answer, request.job, request.flight) == ("done", NOTHING, "", "")
    assert request.asked == replace(kept().asked, arguments={})
    assert request.began_ms == request.ended_ms > 0
    assert await side.requests.adopt(UPSTREAM, 9) == []


async def test_what_waits_for_a_job_is_not_put_with_an_end(side: Side, order: Orders) -> None:
    await side.hold(order("a"), waiter=queued())
    assert await side.requests.put(kept(was_job="a"), "done", NOTHING) is None
    assert (await side.request("r")).state == "open"


async def test_an_end_is_put_for_one_request_of_a_name(side: Side) -> None:
    assert await side.requests.put(kept("r", digest="one"), "done", NOTHING) is None
    assert await side.requests.put(kept("s", digest="one"), "done", NOTHING) == Repeated("r")
    assert await side.requests.put(kept("s", digest="two"), "done", NOTHING) == Mismatched()
    assert await side.requests.read("s") is None
    assert await side.requests.put(kept("r", digest="one"), "done", NOTHING) is None


async def test_a_name_that_counts_for_a_while_is_free_after_that(side: Side, order: Orders) -> None:
    async def named(request_id: str) -> Repeated | Mismatched | None:
        keep = kept(request_id, digest="one", repeats_ms=60_000)
        return await side.requests.put(keep, "done", NOTHING)

    await side.hold(order("a"), waiter=queued("r", digest="one", repeats_ms=60_000))
    await side.later(600_000)
    assert await named("s") == Repeated("r")
    await side.requests.end(await side.request("r"), "done", NOTHING)
    assert await named("s") == Repeated("r")
    await side.later(60_000)
    assert await side.requests.put(kept("s", digest="two"), "done", NOTHING) == Mismatched()
    assert await named("s") is None
    assert await named("t") == Repeated("s")


async def test_a_request_that_nobody_looks_after_is_adopted_once(side: Side, order: Orders) -> None:
    await side.hold(order("a"), waiter=queued())
    await side.later(10_000)
    assert await side.requests.adopt(UPSTREAM, 9) == []
    await side.later(20_000)
    assert await side.requests.adopt("sandbox", 9) == []
    assert await side.requests.adopt(UPSTREAM, 9) == [await side.request("r")]
    assert await side.requests.adopt(UPSTREAM, 9) == []
    await side.later(30_000)
    assert await side.requests.adopt(UPSTREAM, 9) == [await side.request("r")]


async def test_a_lease_is_renewed_for_as_long_as_asked_for(side: Side, order: Orders) -> None:
    for name in ("r", "s", "t"):
        await side.hold(order(name, name), waiter=queued(name))
    await side.requests.end(await side.request("t"), "done", NOTHING)
    await side.later(20_000)
    await side.requests.renew(UPSTREAM, ["r", "nobody"])
    await side.requests.renew(UPSTREAM, ["s", "t"], lease_ms=0)
    assert await side.requests.adopt(UPSTREAM, 9) == [await side.request("s")]
    await side.later(10_000)
    assert await side.requests.adopt(UPSTREAM, 9) == []
    await side.later(20_000)
    assert len(await side.requests.adopt(UPSTREAM, 9)) == 2


async def test_the_longest_left_alone_are_adopted_first(side: Side, order: Orders) -> None:
    for name, lease_ms in [("r", 2), ("s", 3), ("t", 1)]:
        await side.hold(order(name, name), waiter=queued(name))
        await side.requests.renew(UPSTREAM, [name], lease_ms=lease_ms * 1_000)
    await side.later(10_000)
    adopted = await side.requests.adopt(UPSTREAM, 2)
    assert [request.asked.id for request in adopted] == ["t", "r"]


async def test_a_look_tells_how_the_job_stands(side: Side, order: Orders) -> None:
    await side.fill()
    for name in ("a", "b"):
        await side.hold(order(name, name), waiter=queued(f"r-{name}"))
    looks = [await side.requests.look(f"r-{name}", UPSTREAM) for name in ("a", "b")]
    assert [look and (look.job, look.position) for look in looks] == [
        ("reserved", 0),
        ("reserved", 1),
    ]
    await side.give_slot("a")
    await side.jobs.mark(await side.job("a"))
    request = await side.request("r-a")
    look = await side.requests.look("r-a", UPSTREAM)
    assert look == RequestProgress(request=request, job="submitting")
    second = await side.requests.look("r-b", UPSTREAM)
    assert second is not None
    assert second.position == 0


async def test_a_look_at_what_ended_at_once_finds_no_job(side: Side) -> None:
    await side.requests.put(kept(), "done", NOTHING)
    found = await side.requests.look("r", UPSTREAM)
    assert found == RequestProgress(request=await side.request("r"))
    assert await side.requests.look("nobody", UPSTREAM) is None
    assert await side.requests.read("nobody") is None


async def test_progress_is_told_and_looked_at(side: Side, order: Orders) -> None:
    await side.bring(order("a"), "accepted", queued())
    assert await side.requests.progress("a") is None
    for progress in (Progress(phase="IN_QUEUE", position=3), WORKING):
        await side.requests.tell("a", progress)
    assert await side.requests.progress("a") == WORKING
    look = await side.requests.look("r", UPSTREAM)
    assert look is not None
    assert (look.job, look.phase, look.progress) == ("accepted", "IN_PROGRESS", WORKING)

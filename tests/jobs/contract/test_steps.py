"""What the port of jobs promises of a job's steps, in memory and on Redis."""

from collections.abc import Callable
from typing import Any

import pytest
from asking import UPSTREAM
from msgspec.structs import replace
from sides import PAID, RELEASED, Side, on_the_line, queued

from falgate.jobs.job import Fenced, Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import Held

Orders = Callable[..., Order]
UNKNOWN = Settlement(state="unknown", charge=100)


async def test_a_job_without_a_slot_waits_for_one_and_is_not_marked(
    side: Side, order: Orders
) -> None:
    await side.fill()
    held = await side.hold(order("a"), waiter=queued())
    assert isinstance(held, Held)
    assert held.job
    assert not held.has_slot
    await side.hold(order("b", "g"))
    assert not await side.jobs.turn(held.job)
    assert await side.requests.waiting(UPSTREAM) == 2
    with pytest.raises(Fenced):
        await side.jobs.mark(held.job)

    await side.give_slot("a")

    assert await side.jobs.turn(held.job)
    assert await side.requests.waiting(UPSTREAM) == 1
    assert (await side.jobs.mark(held.job)).state == "submitting"


async def test_a_job_that_ended_waits_for_no_slot(side: Side, order: Orders) -> None:
    await side.fill()
    job = await side.bring(order(), "reserved")
    await side.jobs.settle(job, RELEASED)
    assert await side.requests.waiting(UPSTREAM) == 0
    with pytest.raises(Fenced):
        await side.jobs.turn(job)


async def test_a_mark_is_made_once_and_may_be_repeated(side: Side, order: Orders) -> None:
    job = await side.bring(order(), "reserved")
    marked = await side.jobs.mark(job)
    assert marked.state == "submitting"
    assert job.began_ms <= marked.submitted_ms <= await side.jobs.now_ms()
    assert await side.jobs.mark(job) == marked == await side.job("a")
    assert await side.jobs.unbound(UPSTREAM) == [marked]
    with pytest.raises(Fenced):
        await side.jobs.turn(job)


async def test_a_job_whose_lease_ran_out_is_not_marked(side: Side, order: Orders) -> None:
    job = await side.bring(order(), "reserved")
    await side.later(30_000)
    with pytest.raises(Fenced):
        await side.jobs.mark(job)


async def test_fals_id_is_bound_once_and_names_its_job(side: Side, order: Orders) -> None:
    job, other = [await side.bring(order(name, name), "submitting") for name in ("a", "b")]
    for _ in range(2):
        assert await side.jobs.accept(job, "fal-1")
    assert not await side.jobs.accept(job, "fal-2")
    assert not await side.jobs.accept(other, "fal-1")

    accepted = await side.job("a")
    assert (accepted.state, accepted.request_id) == ("accepted", "fal-1")
    assert await side.job("b") == other
    names = ("fal-1", "fal-2")
    assert [await side.jobs.owner(UPSTREAM, name) for name in names] == ["a", ""]
    assert await side.jobs.owner("sandbox", "fal-1") == ""
    assert await side.jobs.unbound(UPSTREAM) == [other]
    assert await side.jobs.unbound("sandbox") == []


async def test_fals_id_is_bound_though_the_mark_was_lost_or_the_job_ended(
    side: Side, order: Orders
) -> None:
    lost = await side.bring(order("a", "f"), "reserved")
    assert await side.jobs.accept(lost, "fal-a")
    accepted = await side.job("a")
    assert accepted.state == "accepted"
    assert accepted.submitted_ms >= lost.began_ms

    ended = await side.bring(order("b", "g"), "submitting")
    await side.jobs.settle(ended, UNKNOWN)
    assert await side.jobs.accept(ended, "fal-b")
    assert ((await side.job("b")).state, (await side.job("b")).request_id) == ("unknown", "fal-b")


@pytest.mark.parametrize("step", ["mark", "accept", "renew", "uncertain", "settle"])
async def test_a_step_starts_the_lease_anew(step: str, side: Side, order: Orders) -> None:
    states: dict[str, State] = {"mark": "reserved", "accept": "submitting"}
    job = await side.bring(order(), states.get(step, "accepted"))
    await side.later(20_000)
    steps: dict[str, Callable[[], Any]] = {
        "mark": lambda: side.jobs.mark(job),
        "accept": lambda: side.jobs.accept(job, "fal-1"),
        "renew": lambda: side.jobs.renew(job),
        "uncertain": lambda: side.jobs.mark_uncertain(job, "lost"),
        "settle": lambda: side.jobs.settle(job, PAID),
    }
    await steps[step]()
    await side.later(10_000)
    assert await side.jobs.lapsed(UPSTREAM, 9) == []
    await side.later(20_000)
    assert await side.jobs.lapsed(UPSTREAM, 9) == ["a"]


async def test_a_lease_is_as_long_as_asked_for(side: Side, order: Orders) -> None:
    names = ("a", "b", "c")
    jobs = [await side.bring(order(name, name), "submitting") for name in names]
    await side.jobs.renew(jobs[0], lease_ms=90_000)
    await side.jobs.mark_uncertain(jobs[1], "lost", lease_ms=50_000)
    assert await side.jobs.accept(jobs[2], "fal-c", lease_ms=20_000)
    await side.later(50_000)
    assert await side.jobs.lapsed(UPSTREAM, 9) == ["c", "b"]
    await side.later(40_000)
    assert await side.jobs.lapsed(UPSTREAM, 2) == ["c", "b"]
    assert await side.jobs.lapsed(UPSTREAM, 9) == ["c", "b", "a"]
    assert await side.jobs.lapsed("sandbox", 9) == []


async def test_who_reports_fals_id_only_ends_the_lease_of_a_job_in_trouble(
    side: Side, order: Orders
) -> None:
    job, troubled = [await side.bring(order(name, name), "submitting") for name in ("a", "b")]
    await side.jobs.mark_uncertain(troubled, "lost")
    for each in (job, troubled):
        assert await side.jobs.accept(each, f"fal-{each.order.id}", lease_ms=0)
    assert await side.jobs.lapsed(UPSTREAM, 9) == ["b"]
    await side.later(30_000)
    assert await side.jobs.lapsed(UPSTREAM, 9) == ["b", "a"]


async def test_trouble_is_noted_from_its_beginning_until_fals_id_is_known(
    side: Side, order: Orders
) -> None:
    job = await side.bring(order(), "submitting")
    await side.jobs.mark_uncertain(job, "unbanked")
    first = await side.job("a")
    await side.later(5)
    await side.jobs.mark_uncertain(job, "lost")
    again = await side.job("a")
    assert (first.trouble, again.trouble) == ("unbanked", "lost")
    assert again.troubled_ms == first.troubled_ms > 0

    await side.jobs.accept(job, "fal-1")
    accepted = await side.job("a")
    assert (accepted.trouble, accepted.troubled_ms) == ("", 0)


async def test_a_lapsed_job_is_adopted_once_with_the_next_epoch(side: Side, order: Orders) -> None:
    before = await side.bring(order(), "accepted")
    assert await side.jobs.adopt("a", UPSTREAM) is None
    await side.lapse("a")
    assert await side.jobs.adopt("a", "sandbox") is None

    adopted = await side.jobs.adopt("a", UPSTREAM)

    assert adopted == replace(before, epoch=2) == await side.job("a")
    assert await side.jobs.adopt("a", UPSTREAM) is None
    assert await side.jobs.lapsed(UPSTREAM, 9) == []
    assert await side.jobs.adopt("nobody", UPSTREAM) is None
    assert await side.jobs.read("nobody") is None


async def _refused(side: Side, job: Job) -> list[bool]:
    """Whether each step that is fenced refuses this view of a job."""
    steps = [
        side.jobs.mark(job),
        side.jobs.mark_uncertain(job, "lost"),
        side.jobs.settle(replace(job, state="accepted"), PAID),
        side.jobs.finish(job, (), None),
    ]
    refused = [not await side.jobs.renew(job)]
    for step in steps:
        try:
            await step
        except Fenced:
            refused.append(True)
        else:
            refused.append(False)
    return refused


@pytest.mark.parametrize("state", ["reserved", "submitting", "accepted", "paid"])
async def test_an_adopted_job_does_not_listen_to_its_old_owner(
    state: State, side: Side, order: Orders
) -> None:
    job = await side.bring(order(), state, on_the_line("r"))
    await side.jobs.renew(job, lease_ms=0)
    adopted = await side.jobs.adopt("a", UPSTREAM)
    assert await _refused(side, job) == [True] * 5
    assert await side.job("a") == adopted

"""What the port of jobs promises of settlements and ends, in memory and on Redis."""

from collections.abc import Callable

import pytest
from asking import UPSTREAM
from msgspec.structs import replace
from sides import PAID, RELEASED, Side, picture, queued

from falgate.cache.pool import PoolVersion
from falgate.fal.progress import Progress
from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Fenced, Order, State
from falgate.jobs.request import CANCELLED
from falgate.jobs.settlement import Settlement

Orders = Callable[..., Order]
REFUSED = Settlement(state="refused", charge=0, answer=FalAnswer(422, {"detail": "no"}, {}))
UNKNOWN = Settlement(state="unknown", charge=100)


async def test_everybody_is_told_of_ends_of_trouble_and_of_progress_only(
    side: Side, order: Orders
) -> None:
    jobs, requests = side.jobs, side.requests
    job = await side.bring(order(), "reserved", queued("r"))
    assert await side.told(jobs.mark(job)) == set()
    assert await side.told(jobs.accept(job, "fal-1")) == set()
    assert await side.told(requests.tell("a", Progress(phase="IN_PROGRESS"))) == {"a"}
    job = await side.job("a")
    assert await side.told(jobs.mark_uncertain(job, "lost")) == {"a"}
    assert await side.told(jobs.settle(job, PAID)) == set()
    assert await side.told(jobs.finish(await side.job("a"), (), None)) == {"a"}
    assert await side.told(requests.end(await side.request("r"), "failed", CANCELLED)) == {"r"}
    other = await side.bring(order("b"), "reserved")
    assert await side.told(jobs.settle(other, RELEASED)) == {"b"}


@pytest.mark.parametrize("charge", [0, 60, 100, 130])
async def test_a_charge_is_spent_up_to_the_hold_and_told_again(
    charge: int, side: Side, order: Orders
) -> None:
    job = await side.bring(order(), "accepted")
    paid = Settlement(state="paid", charge=charge, delivered=1)
    settled = await side.jobs.settle(job, paid, {"images": []})

    assert (settled.state, settled.output) == ("paid", {"images": []})
    assert (settled.charged, settled.overrun) == (min(charge, 100), max(0, charge - 100))
    assert settled.remaining == 1_000 - settled.charged
    assert await side.job("a") == settled
    await side.jobs.finish(settled, (), None)
    assert await side.jobs.settle(job, paid, {"images": []}) == settled
    assert (await side.job("a")).state == "finished"


ENDS: list[tuple[State, Settlement]] = [
    ("reserved", RELEASED),
    ("submitting", RELEASED),
    ("submitting", REFUSED),
    ("submitting", UNKNOWN),
    ("accepted", RELEASED),
    ("accepted", REFUSED),
    ("accepted", UNKNOWN),
]


@pytest.mark.parametrize(("state", "settlement"), ENDS)
async def test_an_end_without_pictures_is_final_and_takes_the_prompt_away(
    state: State, settlement: Settlement, side: Side, order: Orders
) -> None:
    job = await side.bring(order(), state)
    settled = await side.jobs.settle(job, settlement)
    await side.later(60_000)

    assert await side.job("a") == settled
    assert await side.jobs.settle(job, settlement) == settled
    assert (settled.state, settled.answer) == (settlement.state, settlement.answer)
    assert settled.order == order(input={})
    assert settled.remaining == 1_000 - settlement.charge
    assert not await side.jobs.renew(job)
    assert await side.jobs.lapsed(UPSTREAM, 9) == []
    assert await side.jobs.adopt("a", UPSTREAM) is None
    with pytest.raises(Fenced):
        await side.jobs.mark_uncertain(job, "lost")
    with pytest.raises(Fenced):
        await side.jobs.mark(job)


async def test_a_settlement_of_a_job_that_has_moved_on_is_fenced(side: Side, order: Orders) -> None:
    sent = await side.bring(order(), "submitting")
    assert await side.jobs.accept(sent, "fal-a")
    with pytest.raises(Fenced):
        await side.jobs.settle(sent, RELEASED)
    accepted = await side.job("a")
    paid = await side.jobs.settle(accepted, PAID)
    with pytest.raises(Fenced):
        await side.jobs.settle(accepted, UNKNOWN)
    assert await side.job("a") == paid


async def test_a_paid_job_finishes_once_with_its_pictures(side: Side, order: Orders) -> None:
    job = await side.bring(order("a", "f"), "paid")
    pictures = (picture("p", job="a"), picture("q", job="a"))
    await side.jobs.finish(job, pictures, PoolVersion(7, 2))
    finished = await side.job("a")
    await side.jobs.finish(job, (), None)

    assert await side.job("a") == finished
    assert finished == replace(
        job,
        order=order("a", "f", input={}),
        state="finished",
        output=None,
        pictures=pictures,
        kept=True,
    )
    assert await side.jobs.lapsed(UPSTREAM, 9) == []
    unpublished = await side.bring(order("b", "g"), "paid")
    await side.jobs.finish(unpublished, pictures, None)
    assert not (await side.job("b")).kept
    early = await side.bring(order("c", "h"), "accepted")
    with pytest.raises(Fenced):
        await side.jobs.finish(early, (), None)


async def test_an_end_takes_the_trouble_away(side: Side, order: Orders) -> None:
    paid = await side.bring(order("a", "f"), "paid")
    await side.jobs.mark_uncertain(paid, "unbanked")
    await side.jobs.finish(paid, (), None)
    sent = await side.bring(order("b", "g"), "submitting")
    await side.jobs.mark_uncertain(sent, "lost")
    await side.jobs.settle(sent, UNKNOWN)
    for job in [await side.job("a"), await side.job("b")]:
        assert (job.trouble, job.troubled_ms) == ("", 0)

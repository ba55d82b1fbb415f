"""What the port of jobs promises of stops, in memory and on Redis."""

from collections.abc import Callable

import pytest
from sides import PAID, RELEASED, Side, on_the_line, queued

from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Order
from falgate.jobs.verdicts import Denied, Held, Joined, PoolChanged

Orders = Callable[..., Order]
SUBJECTS = ("organisation:main", "team:t", "app:t/p", "model:fal-ai/model")
OTHERS = ("team:u", "app:t/q", "app:u/p", "model:fal-ai/models", "model:fal-ai")


@pytest.mark.parametrize("name", SUBJECTS)
async def test_nothing_is_bought_for_what_is_stopped_until_it_is_resumed(
    name: str, side: Side, order: Orders
) -> None:
    stopped = await side.stop(name)

    for fresh in ("", "aside"):
        assert await side.hold(order(fresh=fresh), waiter=queued()) == stopped
    assert await side.jobs.read("a") is None
    assert await side.requests.read("r") is None
    assert not await side.requests.depend_on("f")

    await side.resume(stopped)
    assert await side.hold(order(), waiter=queued()) == Held()


async def test_what_is_stopped_is_nobody_elses(side: Side, order: Orders) -> None:
    for name in OTHERS:
        await side.stop(name)

    assert await side.hold(order()) == Held()


async def test_of_several_stops_the_widest_is_the_reason(side: Side, order: Orders) -> None:
    for name in reversed(SUBJECTS):
        stopped = await side.stop(name)
        assert await side.hold(order()) == stopped


async def test_a_stop_is_the_reason_before_a_budget_is(side: Side, order: Orders) -> None:
    assert isinstance(await side.hold(order(held=1_001)), Denied)
    stopped = await side.stop("team:t")
    assert await side.hold(order(held=1_001)) == stopped


async def test_a_purchase_under_way_is_joined_and_ends_as_usual(side: Side, order: Orders) -> None:
    job = await side.bring(order("a"), "reserved")
    stopped = await side.stop("organisation:main")

    assert await side.hold(order("a")) == Held()
    assert await side.hold(order("b"), waiter=queued()) == Joined("a")
    assert await side.hold(order("c"), waiter=on_the_line("s", joins=True)) == Joined("a")
    assert await side.jobs.turn(job)
    await side.jobs.mark(job)
    assert await side.jobs.accept(await side.job("a"), "fal-a")
    await side.jobs.settle(await side.job("a"), PAID, {"images": []})
    await side.jobs.finish(await side.job("a"), (), PoolVersion(7, 1))
    assert (await side.job("a")).state == "finished"

    assert await side.hold(order("d")) == PoolChanged(7, 1)
    assert await side.hold(order("d"), PoolVersion(7, 1)) == stopped
    assert await side.hold(order("d", "g"), waiter=on_the_line("s", joins=True)) == stopped


async def test_who_joined_what_was_given_back_does_not_buy_it_instead(
    side: Side, order: Orders
) -> None:
    job = await side.bring(order("a"), "reserved")
    assert await side.hold(order("b"), waiter=queued()) == Joined("a")
    stopped = await side.stop("app:t/p")
    await side.jobs.settle(job, RELEASED)

    assert await side.hold(order("b"), waiter=queued(was_job="a")) == stopped


async def test_distinct_requests_share_what_is_under_way_and_buy_nothing_beside_it(
    side: Side, order: Orders
) -> None:
    await side.hold(order("a", distinct=True), waiter=on_the_line("one"))
    stopped = await side.stop("team:t")

    beside = order("b", distinct=True, own=True)
    assert await side.hold(beside, waiter=on_the_line("two")) == stopped
    assert await side.hold(order("a", distinct=True), waiter=on_the_line("one")) == Held()

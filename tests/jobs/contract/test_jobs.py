"""What the port of jobs promises of flights and holds, in memory and on Redis."""

from collections.abc import Callable

from sides import POOL, RELEASED, Side, kept, on_the_line, picture, queued

from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION
from falgate.jobs.job import Order
from falgate.jobs.request import CANCELLED
from falgate.jobs.verdicts import (
    Crowded,
    Denied,
    Ended,
    Held,
    Joined,
    Mismatched,
    PoolChanged,
    Repeated,
    Vacant,
)

Orders = Callable[..., Order]


async def test_a_first_hold_makes_a_job_that_has_a_slot(side: Side, order: Orders) -> None:
    held = await side.hold(order())

    assert isinstance(held, Held)
    assert held.has_slot
    assert held.overdrawn == ()
    job = await side.job("a")
    assert held.job == job
    assert (job.order, job.state, job.owner, job.epoch) == (order(), "reserved", "one", 1)
    assert job.windows
    assert 0 < job.began_ms <= await side.jobs.now_ms()
    assert await side.jobs.turn(job)


async def test_a_repeated_hold_is_held_already_and_says_no_job(side: Side, order: Orders) -> None:
    await side.hold(order())
    for _ in range(2):
        again = await side.hold(order(), waiter=queued())
        assert isinstance(again, Held)
        assert again.job is None
    assert await side.requests.read("r") is None


async def test_a_second_hold_of_a_flight_joins_the_first_until_it_has_ended(
    side: Side, order: Orders
) -> None:
    job = await side.bring(order("a"), "reserved")
    assert await side.hold(order("b")) == Joined("a")
    assert await side.jobs.read("b") is None

    await side.jobs.settle(job, RELEASED)

    assert await side.hold(order("b")) == Held()


async def test_a_flight_for_new_pictures_is_joined_by_nobody(side: Side, order: Orders) -> None:
    await side.hold(order("a"))
    assert await side.hold(order("b", fresh="aside")) == Held()
    assert await side.hold(order("c", fresh="aside")) == Held()
    assert await side.hold(order("d")) == Joined("a")


async def test_who_only_joins_finds_a_flight_or_none(side: Side, order: Orders) -> None:
    joiner = on_the_line("r", joins=True)
    assert await side.hold(order("a"), waiter=joiner) == Vacant()
    assert await side.hold(order("b")) == Held()
    assert await side.hold(order("a"), waiter=joiner) == Joined("b")


async def test_what_a_job_published_must_have_been_seen(side: Side, order: Orders) -> None:
    await side.jobs.finish(await side.bring(order("a"), "paid"), (), PoolVersion(7, 2))

    for old in (PoolVersion(), PoolVersion(6, 9), PoolVersion(7, 1)):
        assert await side.hold(order("b"), old) == PoolChanged(7, 2)
    only_joins = on_the_line("r", joins=True)
    assert await side.hold(order("b"), waiter=only_joins) == PoolChanged(7, 2)
    assert await side.hold(order("b", fresh="aside")) == Held()
    assert await side.hold(order("c"), PoolVersion(7, 2)) == Held()


async def test_what_published_nothing_leaves_no_marker(side: Side, order: Orders) -> None:
    for name, published in [("a", None), ("b", PoolVersion(7, 0))]:
        await side.jobs.finish(await side.bring(order(name), "paid"), (), published)
    new = await side.bring(order("c", fresh="aside"), "paid")
    await side.jobs.finish(new, (), PoolVersion(7, 2))
    assert await side.hold(order("d")) == Held()


async def test_an_end_without_pictures_leaves_no_marker_not_even_an_older_one(
    side: Side, order: Orders
) -> None:
    await side.jobs.finish(await side.bring(order("a"), "paid"), (), PoolVersion(7, 2))
    await side.hold(order("b"), PoolVersion(7, 2))
    await side.jobs.settle(await side.job("b"), RELEASED)
    assert await side.hold(order("c")) == Held()


async def test_what_the_budget_cannot_pay_is_denied_and_leaves_nothing(
    side: Side, order: Orders
) -> None:
    await side.bring(order("a", "f"), "paid")
    await side.hold(order("b", "g", held=300))

    denied = await side.hold(order("c", "h", held=641), waiter=queued())

    assert isinstance(denied, Denied)
    assert (denied.account, denied.window.kind) == (ORGANISATION, "day")
    assert (denied.limit, denied.spent, denied.held) == (1_000, 60, 300)
    assert await side.jobs.read("c") is None
    assert await side.requests.read("r") is None
    assert not await side.requests.depend_on("h")
    assert await side.hold(order("c", "h", held=640)) == Held()


async def test_a_request_is_kept_by_the_hold_of_its_job(side: Side, order: Orders) -> None:
    stored = (picture("p"),)
    assert await side.hold(order("a"), waiter=queued(pool=stored)) == Held()
    request = await side.request("r")

    assert (request.state, request.job, request.flight, request.leads) == ("open", "a", "f", True)
    assert (request.asked, request.pool) == (kept().asked, stored)
    assert 0 < request.began_ms <= await side.jobs.now_ms()
    assert request.ended_ms == 0
    assert await side.requests.depend_on("f")


async def test_a_request_that_joins_is_kept_with_the_job_of_the_other(
    side: Side, order: Orders
) -> None:
    await side.hold(order("a"))
    for _ in range(2):
        assert await side.hold(order("b"), waiter=queued()) == Joined("a")
    request = await side.request("r")
    assert (request.job, request.flight, request.leads) == ("a", "f", False)


async def test_a_request_gets_its_next_job_once(side: Side, order: Orders) -> None:
    await side.jobs.settle(await side.bring(order("a"), "reserved", queued()), RELEASED)
    first = await side.request("r")

    again = queued(was_job="a", pool=(picture("p"),))
    assert await side.hold(order("b"), waiter=again) == Held()
    assert await side.hold(order("c"), waiter=again) == Joined("b")

    request = await side.request("r")
    assert (request.job, request.leads, request.pool) == ("b", True, (picture("p"),))
    assert request.began_ms == first.began_ms
    assert await side.jobs.read("c") is None


async def test_a_request_that_ended_holds_nothing(side: Side, order: Orders) -> None:
    await side.jobs.settle(await side.bring(order("a"), "reserved", queued()), RELEASED)
    assert await side.requests.end(await side.request("r"), "cancelled", CANCELLED) == 0
    assert await side.hold(order("b"), waiter=queued(was_job="a")) == Ended()
    assert await side.jobs.read("b") is None


async def test_a_name_stands_for_one_request(side: Side, order: Orders) -> None:
    await side.hold(order("a", "f"), waiter=queued("r", digest="one"))

    assert await side.hold(order("b", "g"), waiter=queued("s", digest="one")) == Repeated("r")
    assert await side.hold(order("b", "f"), waiter=queued("s", digest="two")) == Mismatched()
    assert await side.requests.read("s") is None
    assert await side.hold(order("b", "g"), waiter=queued("s")) == Held()


async def test_a_place_at_a_flight_is_one_requests(side: Side, order: Orders) -> None:
    assert await side.hold(order("a", distinct=True), waiter=on_the_line("r")) == Held()
    assert await side.hold(order("b", distinct=True), waiter=on_the_line("s")) == Crowded()
    assert await side.hold(order("b", distinct=True), waiter=on_the_line("r")) == Joined("a", "f")
    assert await side.hold(order("c"), waiter=on_the_line("u")) == Joined("a")


async def test_who_finds_it_crowded_buys_beside_it(side: Side, order: Orders) -> None:
    await side.hold(order("a", distinct=True), waiter=on_the_line("r"))
    beside = order("b", distinct=True, own=True)
    assert await side.hold(beside, waiter=queued("s")) == Held()
    assert (await side.request("s")).flight == "f.b"
    assert await side.hold(order("c", distinct=True), waiter=on_the_line("u")) == Crowded()


async def test_a_purchase_whose_request_left_is_joined_by_the_next(
    side: Side, order: Orders
) -> None:
    await side.hold(order("a", distinct=True, number=2), waiter=on_the_line("r"))
    await side.hold(order("b", distinct=True, own=True), waiter=on_the_line("s"))
    await side.places.keep(POOL, ("r", "s"), lease_ms=0)

    more = order("c", distinct=True, number=3)
    assert await side.hold(more, waiter=on_the_line("u")) == Crowded()
    two = order("c", distinct=True, number=2)
    assert await side.hold(two, waiter=on_the_line("u")) == Joined("a", "f")
    one = order("c", distinct=True)
    assert await side.hold(one, waiter=queued("v")) == Joined("b", "f.b")
    assert (await side.request("v")).flight == "f.b"
    assert await side.requests.depend_on("f.b")
    assert await side.hold(one, waiter=on_the_line("w")) == Crowded()


async def test_who_asks_again_for_more_has_no_longer_what_its_ended_purchase_brought(
    side: Side, order: Orders
) -> None:
    beside = order("a", distinct=True, own=True)
    await side.jobs.settle(await side.bring(beside, "reserved", on_the_line("r")), RELEASED)
    brought = (picture("p", job="a"),)
    assert await side.places.free(POOL, brought, 1) == ()
    await side.hold(order("b", distinct=True), waiter=on_the_line("r"))
    assert await side.places.free(POOL, brought, 1) == brought


async def test_a_purchase_that_ended_is_joined_by_nobody(side: Side, order: Orders) -> None:
    beside = order("a", distinct=True, own=True)
    await side.jobs.settle(await side.bring(beside, "reserved", on_the_line("r")), RELEASED)
    assert await side.hold(order("b", distinct=True), waiter=on_the_line("r")) == Held()


async def test_a_flight_beside_its_pools_leaves_its_marker_there(side: Side, order: Orders) -> None:
    beside = await side.bring(order("a", distinct=True, own=True), "paid")
    await side.jobs.finish(beside, (), PoolVersion(7, 2))

    assert await side.hold(order("b", distinct=True)) == PoolChanged(7, 2)
    assert await side.hold(order("b", distinct=True, own=True)) == PoolChanged(7, 2)
    assert await side.hold(order("b")) == PoolChanged(7, 2)


async def test_a_marker_gives_way_to_newer_ones_only_and_not_while_a_flight_is_open(
    side: Side, order: Orders
) -> None:
    jobs = [
        await side.bring(order(name, distinct=True, own=True), "paid") for name in ("a", "b", "c")
    ]
    for job, version in zip(jobs[:2], [PoolVersion(7, 2), PoolVersion(7, 1)], strict=True):
        await side.jobs.finish(job, (), version)
    assert await side.hold(order("d"), PoolVersion(7, 1)) == PoolChanged(7, 2)
    assert await side.hold(order("d"), PoolVersion(7, 2)) == Held()
    await side.jobs.finish(jobs[2], (), PoolVersion(7, 3))
    assert await side.hold(order("e"), PoolVersion(7, 2)) == Joined("d")

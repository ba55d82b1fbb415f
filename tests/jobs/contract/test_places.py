"""What the port of places promises, in memory and on Redis."""

from collections.abc import Callable

from sides import POOL, RELEASED, Side, on_the_line, picture, queued

from falgate.cache.pool import AppPool
from falgate.core.picture import Picture
from falgate.jobs.job import Order
from falgate.jobs.request import CANCELLED

Orders = Callable[..., Order]
A, B, C = (picture(letter) for letter in "abc")
LEASE_MS = 60_000


async def take(
    side: Side, request_id: str, *pictures: Picture, wanted: int = 1
) -> tuple[Picture, ...]:
    return await side.places.take(POOL, request_id, pictures, wanted, lease_ms=LEASE_MS)


async def test_each_request_takes_the_first_that_nobody_has(side: Side) -> None:
    assert await take(side, "one", A, B, C) == (A,)
    assert await take(side, "two", A, B, C) == (B,)
    assert await take(side, "three", A, B, C, wanted=2) == (C,)
    assert await take(side, "four", A, B, C) == ()
    assert await take(side, "five") == ()


async def test_another_app_and_another_pool_have_places_of_their_own(side: Side) -> None:
    await take(side, "one", A)
    for other in (AppPool("t/q", "f"), AppPool("t/p", "g")):
        assert await side.places.take(other, "two", (A,), 1, lease_ms=LEASE_MS) == (A,)


async def test_who_asks_again_gets_the_same_whatever_else_is_free(side: Side) -> None:
    await take(side, "one", A)
    assert await take(side, "two", A, B) == (B,)
    await side.places.keep(POOL, ["one"], lease_ms=0)
    assert await take(side, "two", A, B, C, wanted=2) == (A, B)


async def test_what_a_request_does_not_get_again_is_free(side: Side) -> None:
    assert await take(side, "one", A, B, wanted=2) == (A, B)
    assert await take(side, "one", B) == (B,)
    assert await take(side, "two", A, B, wanted=2) == (A,)
    assert await take(side, "one") == ()
    assert await take(side, "three", B) == ()


async def test_a_look_takes_nothing_and_finds_only_what_is_free(side: Side) -> None:
    assert await side.places.free(POOL, (A, B), 1) == (A,)
    await take(side, "one", A)
    assert await side.places.free(POOL, (A, B), 2) == (B,)
    assert await take(side, "two", A, B, wanted=2) == (B,)


async def test_a_place_is_free_when_its_lease_runs_out(side: Side) -> None:
    await take(side, "one", A)
    await side.later(LEASE_MS // 2)
    assert await take(side, "two", A) == ()
    await side.later(LEASE_MS // 2)
    assert await take(side, "two", A) == (A,)


async def test_a_lease_is_renewed_for_each_request_that_is_named(side: Side) -> None:
    for name, one in [("one", A), ("two", B), ("three", C)]:
        await take(side, name, one)
    await side.places.keep(POOL, ["one", "two", "nobody"], lease_ms=2 * LEASE_MS)
    await side.later(LEASE_MS)
    assert await side.places.free(POOL, (A, B, C), 3) == (C,)
    await side.later(LEASE_MS)
    assert await side.places.free(POOL, (A, B, C), 3) == (A, B, C)


async def test_what_ran_out_is_renewed_if_nobody_took_it(side: Side) -> None:
    await take(side, "one", A)
    await take(side, "two", B)
    await side.later(LEASE_MS)
    assert await take(side, "three", A) == (A,)
    await side.places.keep(POOL, ["one", "two"], lease_ms=LEASE_MS)
    await side.later(LEASE_MS // 2)
    assert await side.places.free(POOL, (A, B), 2) == (B,)


async def test_what_was_given_back_stays_so_whoever_renews_late(side: Side) -> None:
    await take(side, "one", A)
    await side.places.keep(POOL, ["one"], lease_ms=0)
    await side.places.keep(POOL, ["one"], lease_ms=LEASE_MS)
    assert await take(side, "two", A) == (A,)


async def test_what_a_purchase_brings_is_its_buyers(side: Side, order: Orders) -> None:
    await side.hold(order("j", distinct=True), waiter=on_the_line("one"))
    bought = picture("a", job="j")
    assert await take(side, "two", bought, B) == (B,)
    assert await take(side, "one", C, bought) == (bought,)
    await side.places.keep(POOL, ["one"], lease_ms=0)
    assert await take(side, "three", bought) == (bought,)


async def test_who_joins_a_purchase_has_what_it_brings(side: Side, order: Orders) -> None:
    await side.hold(order("j"))
    await side.hold(order("k", distinct=True), waiter=on_the_line("one"))
    bought = picture("a", job="j")
    assert await take(side, "two", bought) == ()
    await side.later(5_000)
    assert await take(side, "two", bought) == (bought,)


async def test_who_shares_has_no_place_at_what_it_buys(side: Side, order: Orders) -> None:
    await side.hold(order("j"), waiter=on_the_line("one"))
    assert await take(side, "two", picture("a", job="j")) == (picture("a", job="j"),)


async def test_what_is_made_of_a_picture_is_its_makers(side: Side) -> None:
    made = picture("d", master=A.name)
    assert await take(side, "one", A, B) == (A,)
    assert await take(side, "two", made, B) == (B,)
    assert await take(side, "one", C, made) == (made,)


async def test_a_kept_request_takes_up_again_what_it_had_while_it_is_open(
    side: Side, order: Orders
) -> None:
    await side.hold(order("j", distinct=True), waiter=queued("one"))
    bought = picture("a", job="j")
    await side.places.keep(POOL, ["one"], lease_ms=0)
    assert await side.places.free(POOL, (bought,), 1) == (bought,)

    await side.places.follow(POOL, "one", lease_ms=2 * LEASE_MS)

    await side.later(LEASE_MS)
    assert await side.places.free(POOL, (bought,), 1) == ()
    await side.later(LEASE_MS)
    assert await side.places.free(POOL, (bought,), 1) == (bought,)


async def test_a_kept_request_that_ended_or_is_none_has_nothing(side: Side, order: Orders) -> None:
    await side.bring(order("j", distinct=True), "reserved", queued("one"))
    await take(side, "nobody", B)
    await side.requests.end(await side.request("one"), "cancelled", CANCELLED)
    for name in ("one", "nobody"):
        await side.places.follow(POOL, name, lease_ms=LEASE_MS)
    both = (picture("a", job="j"), B)
    assert await side.places.free(POOL, both, 2) == both


async def test_what_somebody_took_meanwhile_is_not_taken_up_again(
    side: Side, order: Orders
) -> None:
    job = await side.bring(order("j", distinct=True), "reserved", queued("one"))
    await take(side, "one", A)
    await side.places.keep(POOL, ["one"], lease_ms=0)
    assert await take(side, "two", A) == (A,)
    await side.places.follow(POOL, "one", lease_ms=LEASE_MS)
    assert await take(side, "one", A) == ()
    await side.jobs.settle(job, RELEASED)

"""Places: what each request under way of an app has of a pool, and what it may still buy."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asking import asked
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import AppPool, PoolVersion
from falgate.cache.store.places import Places
from falgate.core.picture import Picture
from falgate.jobs.job import Job, Order
from falgate.jobs.request import CANCELLED
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.jobs.verdicts import Crowded, Held, Joined, NewRequest, PoolChanged, Waiter
from falgate.redis import keyspace

POOL = AppPool("t/p", "f")
LEASE_MS = 60_000
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Money = Callable[[], Awaitable[tuple[int, int, int]]]


def picture(letter: str, job: str = "") -> Picture:
    return Picture(letter * 64, "image/png", 1, 8, 8, made_s=1, job=job)


A, B, C = (picture(letter) for letter in "abc")


@pytest.fixture
def places(redis: Redis) -> Places:
    return Places(redis)


@pytest.fixture
def take(places: Places) -> Callable[..., Awaitable[tuple[Picture, ...]]]:
    """A function by which a request takes some of the pictures."""

    async def take(request: str, *pictures: Picture, wanted: int = 1) -> tuple[Picture, ...]:
        return await places.take(POOL, request, pictures, wanted, lease_ms=LEASE_MS)

    return take


@pytest.fixture
def hold(jobs: Jobs, order: Orders) -> Callable[..., Awaitable[Any]]:
    """A function by which a request that takes places asks for a flight of its pool."""

    async def hold(job: str, request: str, seen: PoolVersion = PoolVersion(), **more: Any) -> Any:  # noqa: B008 - frozen
        asked = order(job, "f", distinct=True, **more)
        return await jobs.hold(
            asked, seen, PurchaseLimits(), Waiter(request=request, patience_ms=1000)
        )

    return hold


async def test_each_request_takes_the_first_that_nobody_has(take: Any) -> None:
    assert await take("one", A, B, C) == (A,)
    assert await take("two", A, B, C) == (B,)
    assert await take("three", A, B, C, wanted=2) == (C,)
    assert await take("four", A, B, C) == ()


async def test_who_asks_again_gets_the_same(take: Any) -> None:
    assert await take("one", A, B, C, wanted=2) == (A, B)
    assert await take("one", A, B, C) == (A,)
    assert await take("two", A, B, C) == (B,)


async def test_another_app_takes_what_it_likes(take: Any, places: Places) -> None:
    await take("one", A)
    other = AppPool("t/q", "f")
    assert await places.take(other, "two", (A,), 1, lease_ms=LEASE_MS) == (A,)


async def test_who_only_looks_takes_nothing(take: Any, places: Places, redis: Redis) -> None:
    assert await places.free(POOL, (A, B), 2) == (A, B)
    assert not await redis.exists(keyspace.places("t/p", "f"))
    await take("one", A)
    assert await places.free(POOL, (A, B), 2) == (B,)


async def test_what_nobody_renews_is_anybodys(take: Any, places: Places) -> None:
    """By the server's clock: the process that held it is gone."""
    await places.take(POOL, "dead", (A,), 1, lease_ms=0)
    assert await take("one", A) == (A,)


async def test_a_lease_is_renewed_for_each_request_that_is_named(
    take: Any, places: Places, redis: Redis
) -> None:
    for request, one in [("one", A), ("two", B), ("three", C)]:
        await take(request, one)
    before: Any = await redis.hgetall(keyspace.places("t/p", "f"))

    await places.keep(POOL, ["one", "two"], lease_ms=2 * LEASE_MS)

    after: Any = await redis.hgetall(keyspace.places("t/p", "f"))
    changed = {what for what in before if before[what] != after[what]}
    assert changed == {A.sha256, B.sha256}


async def test_what_was_given_back_stays_so_whoever_renews_late(take: Any, places: Places) -> None:
    await take("one", A)
    await places.keep(POOL, ["one"], lease_ms=0)
    await places.keep(POOL, ["one"], lease_ms=LEASE_MS)
    assert await take("two", A) == (A,)


async def test_what_a_purchase_just_published_is_its_buyers(hold: Any, take: Any) -> None:
    assert await hold("j", "one") == Held()
    assert await take("two", picture("a", "j"), B) == (B,)
    assert await take("one", picture("a", "j"), B) == (picture("a", "j"),)


async def test_what_is_made_here_is_its_makers(take: Any) -> None:
    """Who makes it takes what it is made of, in the pool that it is made for."""
    made = Picture("d" * 64, "image/webp", 1, 8, 8, made_s=1, master=A.name)
    assert await take("one", A, B) == (A,)
    assert await take("two", made, B) == (B,)
    assert await take("one", B, made) == (made,)


async def test_several_at_once_buy_each_its_own(hold: Any, money: Money, redis: Redis) -> None:
    assert await hold("j", "one") == Held()
    assert await hold("k", "two") == Crowded()
    assert await money() == (0, 100, 0)
    assert await hold("k", "two", own=True) == Held()
    assert await hold("l", "three", own=True) == Held()

    assert await money() == (0, 300, 0)
    assert await redis.get(keyspace.flight("f")) == "open:j"
    assert await redis.get(keyspace.flight("f.k")) == "open:k"


async def test_who_sends_again_what_was_given_up_joins_it(
    hold: Any, places: Places, money: Money
) -> None:
    await hold("j", "one")
    await hold("k", "two", own=True)
    await places.keep(POOL, ["one", "two"], lease_ms=0)

    joined = [await hold("x", "one again"), await hold("y", "two again")]

    assert sorted(joined, key=lambda each: each.job) == [Joined("j", "f"), Joined("k", "f.k")]
    assert await hold("z", "three") == Crowded()
    assert await money() == (0, 200, 0)


async def test_a_purchase_that_brings_too_little_is_not_joined(hold: Any, places: Places) -> None:
    await hold("j", "one", number=2)
    await places.keep(POOL, ["one"], lease_ms=0)
    assert await hold("x", "two", number=3) == Crowded()
    assert await hold("x", "two", number=2) == Joined("j", "f")


async def test_what_another_app_buys_is_joined_once(
    hold: Any, jobs: Jobs, order: Orders, money: Money
) -> None:
    assert await jobs.hold(order("s", "f", app="q"), PoolVersion(), PurchaseLimits()) == Held()
    assert await hold("j", "one") == Joined("s", "f")
    assert await hold("k", "two") == Crowded()
    assert await money() == (0, 100, 0)


async def test_who_shares_joins_whatever_is_under_way(hold: Any, jobs: Jobs, order: Orders) -> None:
    assert await hold("j", "one") == Held()
    assert await jobs.hold(order("s", "f", app="q"), PoolVersion(), PurchaseLimits()) == Joined("j")


async def test_a_purchase_that_ended_is_joined_by_nobody(
    hold: Any, jobs: Jobs, places: Places, redis: Redis
) -> None:
    await hold("j", "one", own=True)
    await places.keep(POOL, ["one"], lease_ms=0)
    job = await jobs.read("j")
    assert job is not None
    await jobs.settle(job, Settlement(state="released", charge=0))

    assert await hold("k", "two") == Held()
    assert list(await redis.hgetall(keyspace.places("t/p", "f"))) == ["k"]


@pytest.fixture
def finish_beside(
    redis: Redis, jobs: Jobs, order: Orders, bring: Brings
) -> Callable[..., Awaitable[None]]:
    """A function that ends a purchase beside its pool's flight, which has published two."""

    async def finish(job_id: str, fingerprint: str, there: str = "") -> None:
        paid = await bring(order(job_id, fingerprint, distinct=True, own=True), "paid")
        if there:
            await redis.set(keyspace.flight(fingerprint), there)
        await jobs.finish(paid, (), PoolVersion(7, 2))

    return finish


async def test_what_was_bought_beside_a_flight_is_news_to_whoever_looked_before(
    hold: Any, finish_beside: Any, redis: Redis
) -> None:
    await finish_beside("k", "f")

    assert not await redis.exists(keyspace.flight("f.k"))
    assert await redis.get(keyspace.flight("f")) == "done:k:7:2"
    assert await hold("x", "one", PoolVersion(7, 1)) == PoolChanged(7, 2)
    assert await hold("x", "one", PoolVersion(7, 1), own=True) == PoolChanged(7, 2)


@pytest.mark.parametrize(
    ("there", "left"),
    [("open:j", "open:j"), ("done:j:7:3", "done:j:7:3"), ("done:j:6:9", "done:k:7:2")],
)
async def test_a_marker_never_says_less_than_is_known(
    there: str, left: str, finish_beside: Any, redis: Redis
) -> None:
    await finish_beside("k", "g", there)
    assert await redis.get(keyspace.flight("g")) == left


@pytest.fixture
def requests(redis: Redis) -> Requests:
    return Requests(redis, lease_ms=60_000, kept_s=60)


async def test_a_kept_request_waits_for_the_flight_that_it_joined(
    hold: Any, jobs: Jobs, order: Orders, places: Places, requests: Requests
) -> None:
    await hold("k", "one", own=True)
    await places.keep(POOL, ["one"], lease_ms=0)
    keep = NewRequest(asked=asked("two"), pool=(A,))
    waiter = Waiter(request="two", keep=keep)

    assert await jobs.hold(
        order("x", "f", distinct=True), PoolVersion(), PurchaseLimits(), waiter
    ) == Joined("k", "f.k")

    kept = await requests.read("two")
    assert kept is not None
    assert (kept.job, kept.leads, kept.flight, kept.pool) == ("k", False, "f.k", (A,))
    assert await requests.depend_on("f.k")
    assert not await requests.depend_on("f")


async def test_a_kept_request_has_its_place_while_somebody_asks_about_it(
    hold: Any, jobs: Jobs, order: Orders, places: Places, requests: Requests
) -> None:
    waiter = Waiter(request="one", keep=NewRequest(asked=asked("one")))
    assert (
        await jobs.hold(order("j", "f", distinct=True), PoolVersion(), PurchaseLimits(), waiter)
        == Held()
    )
    await places.keep(POOL, ["one"], lease_ms=0)

    await places.follow(POOL, "one", lease_ms=LEASE_MS)
    assert await hold("k", "two") == Crowded()

    kept = await requests.read("one")
    assert kept is not None
    await requests.end(kept, "cancelled", CANCELLED)
    await places.follow(POOL, "one", lease_ms=LEASE_MS)
    assert await hold("k", "two") == Joined("j", "f")

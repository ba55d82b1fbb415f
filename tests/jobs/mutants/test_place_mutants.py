"""Changes to who gets which pictures that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import AppPool, PoolVersion
from falgate.cache.store.places import Places
from falgate.core.picture import Picture
from falgate.jobs.request import CANCELLED, RequestSpec
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.requests import Requests
from falgate.jobs.verdicts import Crowded, Held, Joined, NewRequest, PoolChanged, Waiter
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
POOL = AppPool("t/p", "f")
KEY = keyspace.places("t/p", "f")


def picture(letter: str, job: str = "") -> Picture:
    return Picture(letter * 64, "image/png", 1, 8, 8, made_s=1, job=job)


A, B, C = picture("a"), picture("b"), picture("c", "j")


async def hold(world: Any, job: str, request: str, **more: Any) -> Any:
    order = world.order(job, "f", distinct=True, **more)
    return await world.one.hold(
        order, PoolVersion(), PurchaseLimits(), Waiter(request=request, patience_ms=1000)
    )


async def taking(world: Any) -> None:
    places = Places(world.redis)

    async def take(request: str, wanted: int = 1, lease_ms: int = 60_000) -> Any:
        return await places.take(POOL, request, (A, B, C), wanted, lease_ms=lease_ms)

    assert await places.free(POOL, (A, B, C), 2) == (A, B)
    assert await world.redis.exists(KEY) == 0
    assert await hold(world, "j", "buyer") == Held()
    assert await take("one", 2) == (A, B)
    assert await take("two") == ()
    assert await take("one") == (A,)
    assert await take("two", 2) == (B,)
    assert await take("buyer") == (C,)
    assert await take("buyer", 2) == (C,)
    await places.keep(POOL, ["one"], lease_ms=0)
    await places.keep(POOL, ["one"], lease_ms=60_000)
    assert await take("three", lease_ms=0) == (A,)
    assert await take("four", lease_ms=30_000) == (A,)
    before = await world.redis.hget(KEY, A.sha256)
    await places.keep(POOL, ["two"], lease_ms=60_000)
    assert await world.redis.hget(KEY, A.sha256) == before
    await places.keep(POOL, ["four"], lease_ms=60_000)
    assert await world.redis.hget(KEY, A.sha256) > before
    assert 0 < await world.redis.ttl(KEY) <= keyspace.PLACES_KEPT_S
    await places.keep(POOL, ["two", "four"], lease_ms=0)
    assert await take("five") == (A,)
    assert await places.take(POOL, "five", (B, A), 1, lease_ms=60_000) == (A,)
    await places.keep(POOL, ["buyer"], lease_ms=0)
    assert await take("five", 3) == (A, B, C)
    assert await take("five") == (A,)
    await places.keep(POOL, ["buyer"], lease_ms=0)
    assert await take("buyer") == (C,)
    found = await world.redis.hgetall(KEY)
    assert set(found) == {A.sha256, C.sha256, "j"}


async def buying(world: Any) -> None:
    places = Places(world.redis)
    assert await hold(world, "j", "one", number=2) == Held()
    assert await hold(world, "k", "two") == Crowded()
    assert await hold(world, "k", "two", own=True) == Held()
    assert await world.figures() == (0, 200, 0)
    await places.keep(POOL, ["one", "two"], lease_ms=0)
    assert await hold(world, "x", "three", number=3) == Crowded()
    assert await hold(world, "x", "three", number=2) == Joined("j", "f")
    assert await hold(world, "x", "four") == Joined("k", "f.k")
    assert await hold(world, "x", "five") == Crowded()
    assert set(await world.members(keyspace.waiters("f.k"))) == {"two", "four"}
    assert await world.figures() == (0, 200, 0)
    assert await world.hold("s", "f", changes={"app": "q"}) == Joined("j")
    for job in ("j", "k"):
        await world.one.settle(await world.read(job), Settlement(state="released", charge=0))
    await places.keep(POOL, ["three", "four"], lease_ms=0)
    assert await hold(world, "y", "six") == Held()
    assert list(await world.redis.hgetall(KEY)) == ["y"]


async def paying(world: Any) -> None:
    """What is paid is under way until its pictures are there."""
    places = Places(world.redis)
    order = world.order("j", "f", distinct=True, own=True)
    assert (
        await world.one.hold(order, PoolVersion(), PurchaseLimits(), Waiter(request="one"))
        == Held()
    )
    await world.one.mark(await world.read("j"))
    assert await world.one.accept(await world.read("j"), "fal-j")
    await world.one.settle(await world.read("j"), Settlement(state="paid", charge=60))
    await places.keep(POOL, ["one"], lease_ms=0)
    assert await hold(world, "x", "two") == Joined("j", "f.j")
    await places.keep(POOL, ["two"], lease_ms=0)
    await world.one.finish(await world.read("j"), (), PoolVersion(7, 2))
    assert await world.redis.exists(keyspace.flight("f.j")) == 0
    assert await world.redis.get(keyspace.flight("f")) == "done:j:7:2"
    assert await hold(world, "x", "three", own=True) == PoolChanged(7, 2)


async def marking(world: Any) -> None:
    for at, (there, left) in enumerate(
        [
            ("open:z", "open:z"),
            ("done:z:7:3", "done:z:7:3"),
            ("done:z:8:1", "done:z:8:1"),
            ("done:z:6:9", "done:0:7:2"),
        ]
    ):
        job, name = "0" if left.startswith("done:0") else f"m{at}", f"g{at}"
        order = world.order(job, name, distinct=True, own=True)
        assert await world.one.hold(order, PoolVersion(9, 9), PurchaseLimits()) == Held()
        await world.one.mark(await world.read(job))
        assert await world.one.accept(await world.read(job), f"fal-{job}")
        await world.one.settle(await world.read(job), Settlement(state="paid", charge=60))
        await world.redis.set(keyspace.flight(name), there)
        await world.one.finish(await world.read(job), (), PoolVersion(7, 2))
        assert await world.redis.get(keyspace.flight(name)) == left


async def following(world: Any) -> None:
    places, requests = Places(world.redis), Requests(world.redis, lease_ms=60_000, kept_s=60)
    asked = RequestSpec(
        id="one",
        upstream=UPSTREAM,
        kind="live",
        team="t",
        app="p",
        key="k",
        endpoint="m",
        fingerprint="f",
        arguments={},
    )
    order = world.order("j", "f", distinct=True)
    waiter = Waiter(request="one", keep=NewRequest(asked=asked))
    assert await world.one.hold(order, PoolVersion(), PurchaseLimits(), waiter) == Held()
    await places.keep(POOL, ["one"], lease_ms=0)
    await places.follow(POOL, "one", lease_ms=60_000)
    assert await hold(world, "k", "two") == Crowded()
    kept = await requests.read("one")
    assert kept is not None
    assert kept.flight == "f"
    await requests.end(kept, "cancelled", CANCELLED)
    await places.follow(POOL, "one", lease_ms=60_000)
    assert await hold(world, "k", "two") == Joined("j", "f")


HOLD, FINISH, SHARED = "jobs_hold", "jobs_finish", "_places"
TAKE, KEEP = "places_take", "places_keep"
SUITE = Suite()
SUITE[taking] = {
    "everything_is_free": (SHARED, "return not place or", "return true or"),
    "nothing_lapses": (SHARED, "place.until_ms <= now or ", ""),
    "not_even_ones_own": (SHARED, " or place.request == request_id", ""),
    "lives_for_ever": (SHARED, "redis.call('EXPIRE', places, kept_s)", ""),
    "takes_more": (TAKE, "number < wanted and ", ""),
    "takes_others_first": (TAKE, "ipairs({true, false})", "ipairs({false, true})"),
    "does_not_know_its_own": (TAKE, "(had(picture) or had(origin)) == own", "own"),
    "nor_what_came_of_it": (TAKE, "(had(picture) or had(origin))", "had(picture)"),
    "takes_when_looking": (TAKE, "    if request_id ~= '' then\n", "    if true then\n"),
    "takes_what_was_just_bought": (TAKE, " and is_free(held[origin], request_id, now)", ""),
    "takes_what_is_taken": (TAKE, "is_free(held[picture], request_id, now) and ", ""),
    "keeps_what_it_had": (TAKE, "      redis.call('HDEL', places, what)\n", ""),
    "gives_jobs_back": (TAKE, "#what == PICTURE_LENGTH and ", ""),
    "keeps_everybodys": (KEEP, "mine[place.request] and ", ""),
    "takes_up_again": (KEEP, "(kept or place.until_ms > 0)", "true"),
    "takes_no_place": (HOLD, "take_place(places, job_asked", "take_place(places, 'x'"),
}
SUITE[buying] = {
    "the_pools_flight_only": (SHARED, "then jobs[#jobs + 1] = what end", "then end"),
    "joins_what_is_taken": (SHARED, "if is_free(held[job], request_id, now) then", "if true then"),
    "joins_what_brings_less": (SHARED, " >= number then", " > 0 then"),
    "joins_what_has_ended": (SHARED, "(not known[1] or known[2] == 'paid')", "true"),
    "forgets_nothing": (SHARED, "elseif not open and held[job] then", "elseif false then"),
    "never_crowded": (HOLD, "if under_way and flight == pool_flight then", "if false then"),
    "always_crowded": (HOLD, "under_way and flight == pool_flight", "under_way"),
    "waits_for_another": (HOLD, "name == flight_name and waiters or ", "waiters or "),
}
SUITE[paying] = {
    "joins_nothing_paid": (SHARED, " or known[2] == 'paid')", ")"),
    "marker_of_its_own": (FINISH, "redis.call('SET', pool_flight,", "redis.call('SET', flight,"),
}
SUITE[marking] = {
    "marker_over_a_flight": (FINISH, "made and (made", "(not made or made"),
    "marker_over_news": (FINISH, "made < generation or ", "true or "),
    "marker_over_more": (FINISH, "and length < count", "and true"),
}
SUITE[following] = {
    "follows_nothing": (KEEP, "(kept or place.until_ms > 0)", "place.until_ms > 0"),
    "follows_what_ended": (KEEP, "~= 'open' then lease_ms = 0 end", "== '' then lease_ms = 0 end"),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

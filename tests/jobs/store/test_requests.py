"""Kept requests: written with the hold, ended once, adopted, found by their key, swept."""

from collections.abc import Callable
from typing import Any

import pytest
from asking import UPSTREAM, asked
from msgspec.structs import replace
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.errors import Unavailable
from falgate.fal.progress import Progress
from falgate.jobs.answer import Answer
from falgate.jobs.job import Order
from falgate.jobs.request import CANCELLED
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.jobs.verdicts import Ended, Held, Joined, Mismatched, NewRequest, Repeated, Waiter
from falgate.redis import keyspace

LEASE_MS = 60_000
KEPT_S = 100

NOTHING = Answer(source="hit", pictures=())


@pytest.fixture
def requests(redis: Redis) -> Requests:
    return Requests(redis, lease_ms=LEASE_MS, kept_s=KEPT_S)


def waits(request_id: str = "r", *, was_job: str = "", digest: str = "", **changes: Any) -> Waiter:
    """Who asks for a flight, with a request that is to be kept."""
    wanted = asked(request_id, repeatable="name" if digest else "", **changes)
    return Waiter(request=request_id, keep=NewRequest(asked=wanted, was_job=was_job, digest=digest))


async def test_a_hold_keeps_the_request_that_it_is_for(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    for _ in range(2):  # the first reply may have been lost
        assert await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits()) == Held()
    request = await requests.read("r")

    assert request is not None
    assert (request.state, request.job, request.leads) == ("open", "a", True)
    assert request.asked == asked()
    assert request.began_ms > 0
    assert await requests.depend_on("f")


async def test_what_is_refused_keeps_nothing(
    jobs: Jobs, requests: Requests, order: Callable[..., Order], redis: Redis
) -> None:
    await jobs.hold(order("a", held=100_000), PoolVersion(), PurchaseLimits(), waits())

    assert await requests.read("r") is None
    assert not await redis.exists(keyspace.pending(UPSTREAM), keyspace.waiters("f"))


async def test_who_joins_is_kept_with_the_job_of_the_other(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits("r"))
    for _ in range(2):
        assert await jobs.hold(order("b"), PoolVersion(), PurchaseLimits(), waits("s")) == Joined(
            "a"
        )
    joined = await requests.read("s")

    assert joined is not None
    assert (joined.job, joined.leads) == ("a", False)


async def test_a_request_that_tries_again_gets_its_next_job_once(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits())
    job = await jobs.read("a")
    assert job is not None
    await jobs.settle(job, Settlement(state="released", charge=0))
    began = await requests.read("r")

    assert (
        await jobs.hold(order("b"), PoolVersion(), PurchaseLimits(), waits(was_job="a")) == Held()
    )
    again = await requests.read("r")
    assert began is not None
    assert again == replace(began, job="b", flight="f")
    # Another instance that was slower is told what the first one got.
    assert await jobs.hold(
        order("c"), PoolVersion(), PurchaseLimits(), waits(was_job="a")
    ) == Joined("b")
    assert await jobs.read("c") is None


async def test_a_request_that_has_ended_holds_nothing_more(
    jobs: Jobs, requests: Requests, order: Callable[..., Order], money: Any
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits())
    request = await requests.read("r")
    assert request is not None
    await requests.end(request, "cancelled", CANCELLED)
    job = await jobs.read("a")
    assert job is not None
    await jobs.settle(job, Settlement(state="released", charge=0))

    assert (
        await jobs.hold(order("b"), PoolVersion(), PurchaseLimits(), waits(was_job="a")) == Ended()
    )
    assert await money() == (0, 0, 0)


async def test_the_end_is_written_once_and_takes_the_prompt_away(
    jobs: Jobs, requests: Requests, order: Callable[..., Order], redis: Redis
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits())
    request = await requests.read("r")
    assert request is not None

    assert await requests.end(request, "done", NOTHING) == 0
    assert await requests.end(request, "cancelled", CANCELLED) is None
    ended = await requests.read("r")
    assert ended is not None
    assert (ended.state, ended.answer, ended.failure) == ("done", NOTHING, None)
    assert ended.ended_ms >= ended.began_ms
    assert "secret" not in str(await redis.hgetall(keyspace.request("r")))
    assert not await requests.depend_on("f")


async def test_a_request_ends_with_the_job_that_was_looked_at_only(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits())
    request = await requests.read("r")
    assert request is not None

    assert await requests.end(replace(request, job="z"), "done", NOTHING) is None
    assert await requests.end(replace(request, job="z"), "cancelled", CANCELLED) == 0


async def test_who_takes_a_request_back_learns_how_many_others_wait(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits("r"))
    await jobs.hold(order("b"), PoolVersion(), PurchaseLimits(), waits("s"))
    on_the_line = Waiter(request="u", patience_ms=60_000)
    gone = Waiter(request="v", patience_ms=0)
    for each in (on_the_line, gone):
        assert await jobs.hold(order("c"), PoolVersion(), PurchaseLimits(), each) == Joined("a")
    request = await requests.read("r")
    assert request is not None

    assert await requests.end(request, "cancelled", CANCELLED) == 2
    await requests.leave("f", "u")
    other = await requests.read("s")
    assert other is not None
    assert await requests.end(other, "cancelled", CANCELLED) == 0


async def test_an_idempotency_key_stands_for_one_request(
    jobs: Jobs, requests: Requests, order: Callable[..., Order], money: Any
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits("r", digest="one"))
    held = await money()

    same, other = waits("s", digest="one"), waits("s", digest="two")
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits(), same) == Repeated("r")
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits(), other) == Mismatched()
    assert same.keep is not None
    assert await requests.put(same.keep, "done", NOTHING) == Repeated("r")
    assert (await requests.read("s"), await jobs.read("b"), await money()) == (None, None, held)


async def test_a_name_that_counts_for_a_while_is_free_after_that(
    requests: Requests, redis: Redis
) -> None:
    def keep(request_id: str, repeats_ms: int) -> NewRequest:
        wanted = asked(request_id, repeatable="name")
        return NewRequest(asked=wanted, digest="one", repeats_ms=repeats_ms)

    assert await requests.put(keep("r", 60_000), "done", NOTHING) is None
    assert await requests.put(keep("s", 60_000), "done", NOTHING) == Repeated("r")
    await redis.hset(keyspace.idempotency("name"), "ended_ms", "1")
    assert await requests.put(keep("s", 60_000), "done", NOTHING) is None
    assert await requests.put(keep("t", 60_000), "done", NOTHING) == Repeated("s")


async def test_what_has_its_end_already_is_kept_with_it(requests: Requests) -> None:
    keep = NewRequest(asked=asked())
    for _ in range(2):
        assert await requests.put(keep, "done", NOTHING) is None
    request = await requests.read("r")

    assert request is not None
    assert (request.state, request.answer, request.job) == ("done", NOTHING, "")


async def test_a_request_that_nobody_looks_after_is_taken_over_once(
    jobs: Jobs, requests: Requests, order: Callable[..., Order]
) -> None:
    await jobs.hold(order("a"), PoolVersion(), PurchaseLimits(), waits())

    assert await requests.adopt(UPSTREAM, 10) == []
    await requests.renew(UPSTREAM, ["r", "stranger"], lease_ms=0)
    assert [each.asked.id for each in await requests.adopt(UPSTREAM, 10)] == ["r"]
    assert await requests.adopt(UPSTREAM, 10) == []


async def test_a_look_tells_how_the_job_stands(
    requests: Requests, order: Callable[..., Order], jobs_of: Callable[..., Jobs]
) -> None:
    jobs = jobs_of("one", slots_max=1)
    for name in ("a", "b", "c"):
        request = waits(f"r-{name}", fingerprint=name)
        assert (
            await jobs.hold(order(name, name), PoolVersion(), PurchaseLimits(), request) == Held()
        )
    places = [
        standing.position
        for name in ("a", "b", "c")
        if (standing := await requests.look(f"r-{name}", UPSTREAM))
    ]
    assert places == [None, 0, 1]

    job = await jobs.read("a")
    assert job is not None
    await jobs.mark(job)
    await jobs.accept(job, "fal-a")
    await requests.tell("a", Progress(phase="IN_PROGRESS", logs=({"message": "hm"},)))
    standing = await requests.look("r-a", UPSTREAM)
    assert standing is not None
    assert (standing.job, standing.phase) == ("accepted", "IN_PROGRESS")
    assert standing.progress == Progress(phase="IN_PROGRESS", logs=({"message": "hm"},))
    assert await requests.look("nobody", UPSTREAM) is None
    assert await requests.waiting(UPSTREAM) == 2


async def test_requests_are_forgotten_with_their_names_when_their_time_is_over(
    requests: Requests, redis: Redis
) -> None:
    await requests.put(
        NewRequest(asked=asked("r", repeatable="name"), digest="one"), "done", NOTHING
    )
    ended_ms = int((await redis.zscore(keyspace.answered(UPSTREAM), "r")) or 0)

    assert await requests.sweep(UPSTREAM, ended_ms + KEPT_S * 1000) == 0
    assert await requests.sweep(UPSTREAM, ended_ms + KEPT_S * 1000 + 1) == 1
    assert await requests.read("r") is None
    assert not await redis.exists(keyspace.idempotency("name"), keyspace.answered(UPSTREAM))


async def test_without_redis_nothing_is_known_of_requests(nobody: Redis) -> None:
    requests = Requests(nobody, lease_ms=LEASE_MS, kept_s=KEPT_S)
    with pytest.raises(Unavailable):
        await requests.read("r")
    with pytest.raises(Unavailable):
        await requests.adopt(UPSTREAM, 1)

"""Recovery: what no job knows is booked once, and buying goes on where it was looked at."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from falgate.billing.closed_job import Recovered
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.recovery import Recovery
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Calendar
from falgate.jobs.job import Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.money.charge import Charge
from falgate.money.store.ledger import Ledger
from falgate.money.store.verify import verify
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
FOUND = Recovered(request_id="r-1", model="fal-ai/model", sent_ms=5)

Bring = Callable[..., Awaitable[Job]]
Look = Callable[[], Awaitable[Any]]


@pytest.fixture
def recovery(redis: Redis, ledger_id: str) -> Recovery:
    assert ledger_id
    return Recovery(redis, Calendar(ZoneInfo("UTC")))


async def test_a_request_is_booked_on_the_organisation_and_its_model_alone(
    redis: Redis, recovery: Recovery
) -> None:
    assert await recovery.book(UPSTREAM, FOUND, 40)

    model = Account("model", FOUND.model)
    for charged in (ORGANISATION, model):
        figures: Any = await redis.hgetall(keyspace.account(UPSTREAM, charged))
        spent = [value for name, value in figures.items() if name.startswith("spent:")]
        assert spent == ["40"] * len(KINDS)
    names = {ORGANISATION.name, model.name}
    assert await redis.smembers(keyspace.accounts(UPSTREAM)) == names
    assert await recovery.bound(UPSTREAM, ["r-1", "r-2"]) == {"r-1": "recovered-r-1"}
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_it_is_booked_once(recovery: Recovery, everything: Look) -> None:
    await recovery.book(UPSTREAM, FOUND, 40)
    before = await everything()

    assert not await recovery.book(UPSTREAM, FOUND, 40)

    assert await everything() == before


async def test_a_request_of_a_job_is_not_booked_again(
    bring: Bring, order: Callable[..., Order], recovery: Recovery, everything: Look
) -> None:
    job = await bring(order(), "accepted")
    before = await everything()

    found = Recovered(request_id=job.request_id, model="fal-ai/model", sent_ms=5)
    assert not await recovery.book(UPSTREAM, found, 40)

    assert await everything() == before


async def test_what_was_booked_can_be_corrected(redis: Redis, recovery: Recovery) -> None:
    await recovery.book(UPSTREAM, FOUND, 40)
    corrections = Corrections(redis, owner="one")
    [[posting]] = [page async for page in corrections.closes(UPSTREAM, 0, 10**14)]

    assert await corrections.correct(UPSTREAM, posting, Charge(33, 0), "billed otherwise")

    figures: Any = await redis.hgetall(keyspace.account(UPSTREAM, ORGANISATION))
    assert {value for name, value in figures.items() if name.startswith("spent:")} == {"33"}
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_jobs_without_a_request_are_those_that_may_have_sent_one(
    bring: Bring, order: Callable[..., Order], recovery: Recovery
) -> None:
    for state in ("reserved", "submitting", "accepted", "paid"):
        await bring(order(state, state), state)

    [job] = await recovery.unbound(UPSTREAM)

    assert (job.order.id, job.order.input) == ("submitting", {"prompt": "a secret wish"})


async def test_requests_of_closed_jobs_are_known(
    bring: Bring, order: Callable[..., Order], recovery: Recovery
) -> None:
    await bring(order("a", "fa"), "paid")
    await bring(order("b", "fb"), "accepted")

    assert await recovery.closed_since(UPSTREAM, 0) == {"fal-a"}
    assert await recovery.closed_since(UPSTREAM, 10**14) == frozenset()


async def test_buying_goes_on_only_in_the_history_that_was_looked_at(
    ledger: Ledger, recovery: Recovery, jobs: Jobs, redis: Redis
) -> None:
    _, was = await recovery.frozen()
    assert await ledger.trust(was, was, why="lost")
    frozen, history = await recovery.frozen()
    assert frozen is not None
    assert abs(frozen.since_ms - await jobs.now_ms()) < 60_000
    await redis.hset(keyspace.META, "history", "another")

    assert not await recovery.thaw(history)
    assert (await recovery.frozen())[0] == frozen
    assert await recovery.thaw("another")

    assert await recovery.frozen() == (None, "another")

"""Jobs that an earlier version held on four accounts, not on their model: closed on the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from booked import booked
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.billing.closed_job import ClosedJob
from falgate.billing.store.corrections import Corrections
from falgate.cache.pool import PoolVersion
from falgate.core.account import Account, chain
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.charge import Charge
from falgate.money.store.budgets import Budgets
from falgate.money.store.torn import Torn
from falgate.money.store.verify import verify
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
ENDPOINT = "fal-ai/model"
MODEL = Account("model", ENDPOINT)
ASKING = chain("t", "p", "k")


@pytest.fixture
def hold_as_before(
    redis: Redis, jobs: Jobs, order: Callable[..., Order]
) -> Callable[[str], Awaitable[Job]]:
    """Holds a job as the earlier version did."""

    async def hold(job_id: str) -> Job:
        bare = order(job_id, f"f-{job_id}", endpoint="")
        assert await jobs.hold(bare, PoolVersion(), PurchaseLimits()) == Held()
        known = msgspec.json.encode(msgspec.structs.replace(bare, endpoint=ENDPOINT, input={}))
        await redis.hset(keyspace.job(job_id), "order", known.decode())
        job = await jobs.read(job_id)
        assert job is not None
        return job

    return hold


@pytest.fixture
async def adopted(
    jobs_of: Callable[..., Jobs], redis: Redis, hold_as_before: Callable[[str], Awaitable[Job]]
) -> tuple[Jobs, Job]:
    """Such a job, taken over by an instance of this version."""
    await hold_as_before("a")
    await redis.zadd(keyspace.open_jobs(UPSTREAM), {"a": 1}, xx=True)
    two = jobs_of("two")
    job = await two.adopt("a", UPSTREAM)
    assert job is not None
    return two, job


async def spent(budgets: Budgets, charged: Account) -> set[tuple[int, int]]:
    """Spent and held, in every window."""
    return {(p.spent, p.held) for p in await budgets.positions(UPSTREAM, charged)}


async def test_it_is_closed_on_the_accounts_of_its_hold(
    redis: Redis, budgets: Budgets, adopted: tuple[Jobs, Job]
) -> None:
    two, job = adopted
    assert job.accounts == ASKING
    assert (await verify(redis, UPSTREAM)).differences == ()

    await two.mark(job)
    assert await two.accept(job, "fal-a")
    accepted = await two.read("a")
    assert accepted is not None
    await two.settle(accepted, Settlement(state="paid", charge=60, delivered=1))

    assert [await spent(budgets, each) for each in ASKING] == [{(60, 0)}] * len(ASKING)
    assert await spent(budgets, MODEL) == {(0, 0)}
    (entry,) = await booked(redis, UPSTREAM)
    assert (entry["model"], entry["charged_model"]) == (ENDPOINT, "")
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_it_is_corrected_on_the_accounts_of_its_hold(
    redis: Redis, budgets: Budgets, adopted: tuple[Jobs, Job]
) -> None:
    two, job = adopted
    await two.settle(job, Settlement(state="released", charge=50))
    corrections = Corrections(redis, owner="one")
    [[closed]] = [page async for page in corrections.closes(UPSTREAM, 0, 10**14)]

    assert await corrections.correct(UPSTREAM, closed, Charge(20, 0), "w")

    assert [await spent(budgets, each) for each in ASKING] == [{(20, 0)}] * len(ASKING)
    assert await spent(budgets, MODEL) == {(0, 0)}
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_an_entry_of_before_is_corrected_as_it_was_charged(
    redis: Redis, budgets: Budgets, adopted: tuple[Jobs, Job]
) -> None:
    two, job = adopted
    await two.settle(job, Settlement(state="released", charge=50))
    page: Any = await redis.xrange(keyspace.ledger(UPSTREAM))
    [(entry, fields)] = page
    await redis.xdel(keyspace.ledger(UPSTREAM), entry)
    del fields["charged_model"]
    await redis.xadd(keyspace.ledger(UPSTREAM), fields)
    corrections = Corrections(redis, owner="one")
    [[closed]] = [page async for page in corrections.closes(UPSTREAM, 0, 10**14)]
    assert isinstance(closed, ClosedJob)

    assert await corrections.correct(UPSTREAM, closed, Charge(70, 0), "w")

    assert await spent(budgets, MODEL) == {(0, 0)}
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_what_was_held_before_and_what_is_held_now_add_up_together(
    redis: Redis, jobs: Jobs, order: Callable[..., Order], budgets: Budgets,
    hold_as_before: Callable[[str], Awaitable[Job]],
) -> None:  # fmt: skip
    before = await hold_as_before("a")
    await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits())
    now = await jobs.read("b")
    assert now is not None
    assert await spent(budgets, MODEL) == {(0, 100)}

    await jobs.settle(before, Settlement(state="released", charge=10))
    await jobs.settle(now, Settlement(state="released", charge=20))

    assert await spent(budgets, ASKING[0]) == {(30, 0)}
    assert await spent(budgets, MODEL) == {(20, 0)}
    assert await Torn(redis, UPSTREAM).begun() == {}
    assert (await verify(redis, UPSTREAM)).differences == ()

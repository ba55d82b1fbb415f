"""Many purchases at the same instant: as many as there is money for, and one of each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from booked import booked
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Denied, Held, Joined, Verdict
from falgate.money.store.ledger import Ledger
from falgate.redis.client import connect

UPSTREAM = "https://queue.example"
INSTANCES = 4


@pytest.fixture
async def instances(url: str, jobs_of: Callable[..., Jobs]) -> AsyncIterator[Sequence[Jobs]]:
    """Several instances, each with connections of its own."""
    clients = [connect(url, timeout_s=TRIP_S) for _ in range(INSTANCES)]
    yield [jobs_of(f"i{number}", redis=client) for number, client in enumerate(clients)]
    for client in clients:
        await client.aclose()


async def hold_all(instances: Sequence[Jobs], orders: Sequence[Order]) -> list[Verdict]:
    """Every hold at once, spread over the instances."""
    return await asyncio.gather(
        *(
            instances[number % len(instances)].hold(order, PoolVersion(), PurchaseLimits())
            for number, order in enumerate(orders)
        )
    )


@pytest.mark.parametrize("level", range(4))
async def test_no_more_is_held_than_there_is_and_no_less(  # noqa: PLR0917 - fixtures
    instances: Sequence[Jobs],
    order: Callable[..., Order],
    ledger: Ledger,
    limit: Callable[..., Awaitable[None]],
    money: Callable[[], Awaitable[tuple[int, int, int]]],
    level: int,
) -> None:
    await limit(37 * 20 + 19, "hour", order().accounts[level])
    orders = [order(f"j{number}", f"f{number}", held=20) for number in range(200)]

    verdicts = await hold_all(instances, orders)

    assert sum(verdict == Held() for verdict in verdicts) == 37
    assert sum(isinstance(verdict, Denied) for verdict in verdicts) == 163
    assert await money() == (0, 37 * 20, 0)
    assert await ledger.open_jobs(UPSTREAM) == 37


async def test_of_many_that_want_the_same_one_buys_and_the_others_join_it(
    instances: Sequence[Jobs],
    order: Callable[..., Order],
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    verdicts = await hold_all(instances, [order(f"j{number}", "f") for number in range(100)])

    leader = verdicts.index(Held())
    assert verdicts.count(Held()) == 1
    assert verdicts.count(Joined(f"j{leader}")) == 99
    assert await money() == (0, 100, 0)


async def test_of_many_that_adopt_a_job_one_gets_it(
    instances: Sequence[Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    lapse: Callable[[str], Awaitable[None]],
) -> None:
    await bring(order(), "accepted")
    await lapse("a")

    adopted = await asyncio.gather(*(jobs.adopt("a", UPSTREAM) for jobs in [*instances] * 5))

    assert [job.epoch for job in adopted if job is not None] == [2]


async def test_a_job_settled_from_many_sides_at_once_is_settled_once(
    instances: Sequence[Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    redis: Redis,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    job = await bring(order(), "accepted")
    paid = Settlement(state="paid", charge=130)

    await asyncio.gather(*(jobs.settle(job, paid) for jobs in [*instances] * 5))

    assert await money() == (100, 0, 30)
    assert len(await booked(redis, UPSTREAM)) == 1

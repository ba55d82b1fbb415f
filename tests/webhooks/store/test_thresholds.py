"""Thresholds of budgets: each alerts once in a window at most, whatever is raised or reset."""

from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.store.budgets import Budgets
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
PAID = Settlement(state="paid", charge=10)

WebhookPayloads = Callable[[], Awaitable[list[tuple[int, int]]]]
Limit = Callable[..., Awaitable[None]]


@pytest.fixture
def told(redis: Redis) -> WebhookPayloads:
    """Every alert so far: its percentage, and what was spent then."""

    async def look() -> list[tuple[int, int]]:
        page: Any = await redis.xrange(keyspace.ALERTS)
        return [(int(fields["percent"]), int(fields["spent"])) for _, fields in page]

    return look


@pytest.fixture
def spend(
    bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> Callable[[int], Awaitable[None]]:
    """Spends so many times 10 micro-USD, one purchase after another."""
    bought: list[str] = []

    async def buy(times: int) -> None:
        for _ in range(times):
            bought.append(f"j{len(bought)}")
            await bring(order(bought[-1], bought[-1], held=10), "paid", charge=10)

    return buy


Spend = Callable[[int], Awaitable[None]]


async def test_each_threshold_is_told_once_by_the_purchase_that_reaches_it(
    limit: Limit, spend: Spend, told: WebhookPayloads
) -> None:
    await limit(100, "day", alerts=(50, 80, 100))

    await spend(4)
    assert await told() == []
    await spend(6)

    # The last one was reached by its hold, after which there was no room.
    assert await told() == [(50, 50), (80, 80), (100, 90)]


async def test_a_purchase_that_reaches_several_tells_each(
    limit: Limit,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
    told: WebhookPayloads,
) -> None:
    await limit(100, "day", alerts=(50, 80, 100))

    await bring(order(held=80), "paid", charge=80)

    assert await told() == [(50, 80), (80, 80)]


@pytest.mark.parametrize("level", range(4))
async def test_every_account_has_thresholds_of_its_own(
    limit: Limit, spend: Spend, told: WebhookPayloads, order: Callable[..., Order], level: int
) -> None:
    await limit(20, "week", order().accounts[level], alerts=(100,))

    await spend(2)

    assert await told() == [(100, 10)]


async def test_a_reset_does_not_tell_a_threshold_again_in_its_window(
    limit: Limit, spend: Spend, told: WebhookPayloads, budgets: Budgets
) -> None:
    await limit(100, "day", alerts=(50, 80))
    await spend(6)
    await budgets.reset(UPSTREAM, ORGANISATION, "day", change="1", who="w")

    await spend(7)
    assert await told() == [(50, 50)]
    await spend(1)

    assert await told() == [(50, 50), (80, 80)]


async def test_a_raise_does_not_tell_a_threshold_again_in_its_window(
    limit: Limit, spend: Spend, told: WebhookPayloads, budgets: Budgets
) -> None:
    await limit(100, "day", alerts=(50, 80))
    await spend(6)
    await budgets.raise_(UPSTREAM, ORGANISATION, "day", 100, change="1", who="w")

    await spend(9)
    assert await told() == [(50, 50)]
    await spend(1)

    assert await told() == [(50, 50), (80, 160)]


async def test_a_limit_that_moves_to_and_fro_tells_each_threshold_once(
    limit: Limit, spend: Spend, told: WebhookPayloads
) -> None:
    for amount in (100, 20, 1_000, 40):
        await limit(amount, "day", alerts=(50, 80))
        await spend(1)

    assert await told() == [(50, 20), (80, 20)]


async def test_a_shadow_budget_tells_too(limit: Limit, spend: Spend, told: WebhookPayloads) -> None:
    await limit(10, "week", Account("team", "t"), shadow=True, alerts=(100,))

    await spend(1)

    assert await told() == [(100, 0)]


async def test_what_is_held_or_released_tells_nothing(
    limit: Limit,
    jobs: Jobs,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
    told: WebhookPayloads,
) -> None:
    await limit(100, "day", alerts=(1,))

    job = await bring(order(), "submitting")
    await jobs.settle(job, Settlement(state="released", charge=0))

    assert await told() == []


async def test_the_next_window_tells_its_own_and_the_last_one_what_was_ordered_in_it(  # noqa: PLR0917 - fixtures
    limit: Limit,
    spend: Spend,
    told: WebhookPayloads,
    redis: Redis,
    jobs: Jobs,
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    calendar: Calendar,
) -> None:
    await limit(40, "hour", alerts=(50, 75))
    await spend(2)
    ordered = await bring(order("late", "late", held=10), "accepted")
    assert await told() == [(50, 20)]
    # An hour later, by the calendar.
    offset = calendar.zone.utcoffset(None)
    assert offset is not None
    moved = Calendar(timezone(offset + timedelta(hours=1)))
    await redis.hset(keyspace.META, "calendar", moved.name)
    later = jobs_of("later", calendar=moved)

    await jobs.settle(ordered, PAID)
    assert await told() == [(50, 20), (75, 30)]
    for job_id in ("x", "y"):
        assert (
            await later.hold(order(job_id, job_id, held=10), PoolVersion(), PurchaseLimits())
            == Held()
        )
        job = await later.read(job_id)
        assert job is not None
        await later.mark(job)
        assert await later.accept(job, f"fal-{job_id}")
        accepted = await later.read(job_id)
        assert accepted is not None
        await later.settle(accepted, PAID)

    assert await told() == [(50, 20), (75, 30), (50, 20)]

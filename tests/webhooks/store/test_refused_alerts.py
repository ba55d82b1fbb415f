"""Alerts of refusals: a budget's first one in a window, once over all instances."""

from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.core.events import Alerted
from falgate.jobs.job import Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Denied
from falgate.money.store.budgets import Budgets
from falgate.redis import keyspace
from falgate.webhooks.store.alerts import Alerts

UPSTREAM = "https://queue.example"
TEAM = Account("team", "t")

Limit = Callable[..., Awaitable[None]]
WebhookPayloads = Callable[[], Awaitable[list[Alerted]]]


@pytest.fixture
def told(redis: Redis) -> WebhookPayloads:
    """Every alert that nobody took yet."""

    async def look() -> list[Alerted]:
        new = await Alerts(redis, "one").new()
        return [alert for alert in new if isinstance(alert, Alerted)]

    return look


async def test_the_first_refusal_of_a_window_is_alerted_of_once_whoever_refuses(
    limit: Limit,
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    told: WebhookPayloads,
) -> None:
    await limit(50, "day", TEAM, alerts=(50, 80, 100))
    await bring(order("a", "f", held=33), "paid", charge=33)
    assert [(each.what, each.percent) for each in await told()] == [("threshold", 50)]

    for number, name in enumerate(("one", "two", "one")):
        asked = order(f"b{number}", f"g{number}", held=20)
        assert isinstance(await jobs_of(name).hold(asked, PoolVersion(), PurchaseLimits()), Denied)

    [alert] = await told()
    assert (alert.what, alert.account, alert.level) == ("refused", "team:t", "team")
    assert (alert.limit, alert.spent, alert.held, alert.percent) == (50, 33, 0, 0)
    assert alert.window.startswith("day:")


async def test_each_budget_without_room_alerts_and_a_shadow_one_does_not(
    limit: Limit, jobs: Jobs, order: Callable[..., Order], told: WebhookPayloads
) -> None:
    await limit(50, "day", TEAM)
    await limit(60, "total", ORGANISATION)
    await limit(10, "hour", TEAM, shadow=True)

    await jobs.hold(order("a", "f", held=70), PoolVersion(), PurchaseLimits())

    assert sorted(each.account for each in await told()) == ["organisation:main", "team:t"]


async def test_the_next_window_alerts_of_its_own_first_refusal(  # noqa: PLR0917 - fixtures
    limit: Limit,
    redis: Redis,
    jobs: Jobs,
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    calendar: Calendar,
    told: WebhookPayloads,
) -> None:
    await limit(50, "hour", TEAM)
    await jobs.hold(order("a", "f", held=70), PoolVersion(), PurchaseLimits())
    offset = calendar.zone.utcoffset(None)
    assert offset is not None
    moved = Calendar(timezone(offset + timedelta(hours=1)))
    await redis.hset(keyspace.META, "calendar", moved.name)

    await jobs_of("later", calendar=moved).hold(
        order("b", "g", held=70), PoolVersion(), PurchaseLimits()
    )

    first, second = await told()
    assert first.window != second.window


async def test_a_hold_that_fills_a_budget_reaches_its_hundred_per_cent(
    limit: Limit,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
    told: WebhookPayloads,
) -> None:
    await limit(100, "day", TEAM, alerts=(50, 100, 150))

    await bring(order("a", "f", held=100), "reserved")

    [alert] = await told()
    assert (alert.what, alert.percent, alert.spent, alert.held) == ("threshold", 100, 0, 100)


async def test_a_raise_does_not_repeat_it_in_its_window(
    limit: Limit, jobs: Jobs, order: Callable[..., Order], budgets: Budgets, told: WebhookPayloads
) -> None:
    await limit(50, "day", TEAM)
    await jobs.hold(order("a", "f", held=70), PoolVersion(), PurchaseLimits())
    await budgets.raise_(UPSTREAM, TEAM, "day", 10, change="1", who="w")

    await jobs.hold(order("b", "g", held=70), PoolVersion(), PurchaseLimits())

    assert len(await told()) == 1


async def test_an_alert_of_the_version_before_is_a_threshold(
    redis: Redis, told: WebhookPayloads
) -> None:
    fields: Any = {
        "account": keyspace.account(UPSTREAM, TEAM), "window": "day:2026-11-22", "percent": 80,
        "limit": 10, "spent": 8,
    }  # fmt: skip
    await redis.xadd(keyspace.ALERTS, fields)

    [alert] = await told()

    assert (alert.what, alert.percent, alert.held) == ("threshold", 80, 0)

"""Usage: roll-ups read by the day, and answers counted once whoever repeats them."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.calendar import Calendar
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.usage import Usage
from falgate.redis import keyspace, usage_keys

UPSTREAM = "https://queue.example"
SHOP = "web/shop/k|m|low|answered"
COUNTS = {f"{SHOP}:answers": 3, f"{SHOP}:saved": 68_000}


@pytest.fixture
def usage(redis: Redis, calendar: Calendar) -> Usage:
    return Usage(redis, calendar)


async def test_a_batch_counts_once_and_the_next_one_too(
    usage: Usage, redis: Redis, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    await usage.add(UPSTREAM, COUNTS, batch="a:0", before="a:-1")
    once = await everything()
    await usage.add(UPSTREAM, COUNTS, batch="a:0", before="a:-1")
    assert await everything() == once

    await usage.add(UPSTREAM, {f"{SHOP}:answers": 1}, batch="a:1", before="a:0")

    today = (await usage.today()).isoformat()
    days = usage.days(UPSTREAM, [today], broken_down=True)
    [(day, measures, breakdown)] = [each async for each in days]
    assert (day, measures) == (today, {"web/shop:answers": "4", "web/shop:saved": "68000"})
    assert breakdown == {f"{SHOP}:answers": "4", f"{SHOP}:saved": "68000"}
    hits: Any = await redis.hgetall(usage_keys.hits(UPSTREAM, today))
    [hour] = {field[:2] for field in hits}
    assert hits == {
        f"{hour}{whose}:{measure}": number
        for whose in ("", "/web", "/web/shop")
        for measure, number in (("answers", "4"), ("saved", "68000"))
    }
    # An instance leaves one id behind, however long it runs.
    assert await redis.zrange(keyspace.POSTED, 0, -1) == ["a:1"]


@pytest.mark.parametrize("number", [-1, 0.5, 10**16])
async def test_numbers_that_are_none_change_nothing(
    number: Any, usage: Usage, redis: Redis
) -> None:
    with pytest.raises(Exception, match="ledger") as refused:
        await usage.add(UPSTREAM, {f"{SHOP}:saved": number}, batch="a:0", before="")

    assert isinstance(refused.value.__cause__, ResponseError)
    assert await redis.dbsize() == 0


async def test_days_are_read_in_order_and_empty_ones_too(usage: Usage, redis: Redis) -> None:
    days = [date(2026, 11, each).isoformat() for each in range(1, 31)]
    await redis.hset(usage_keys.usage(UPSTREAM, days[17]), "web/shop:bought", "2")

    read = [each async for each in usage.days(UPSTREAM, days)]

    assert [day for day, _, _ in read] == days
    assert [measures for _, measures, _ in read if measures] == [{"web/shop:bought": "2"}]


async def test_purchases_and_answers_share_a_day(
    usage: Usage, bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> None:
    await bring(order(team="web", app="shop"), "paid", charge=130)
    await usage.add(UPSTREAM, COUNTS, batch="a:0", before="")

    today = (await usage.today()).isoformat()
    days = usage.days(UPSTREAM, [today], broken_down=True)
    [(_, measures, breakdown)] = [each async for each in days]

    assert measures == {
        "web/shop:answers": "3",
        "web/shop:saved": "68000",
        "web/shop:purchases": "1",
        "web/shop:bought": "1",
        "web/shop:list": "90",
        "web/shop:billed": "100",
        "web/shop:overrun": "30",
    }
    paid = "web/shop/k|fal-ai/model|low|paid"
    assert breakdown == {
        f"{SHOP}:answers": "3",
        f"{SHOP}:saved": "68000",
        f"{paid}:purchases": "1",
        f"{paid}:bought": "1",
        f"{paid}:list": "90",
        f"{paid}:billed": "100",
        f"{paid}:overrun": "30",
    }


async def test_hours_count_purchases_for_the_app_its_team_and_all_and_a_repeat_changes_nothing(
    redis: Redis, jobs: Jobs, bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> None:
    job = await bring(order(team="web", app="shop"), "accepted")
    paid = Settlement(state="paid", charge=130, delivered=1, listed=90)
    for _ in range(2):
        await jobs.settle(job, paid, {"images": []})

    hour = next(name for name in job.windows if name.startswith("hour:"))
    day, _, clock = hour.removeprefix("hour:").partition("T")
    counted: Any = await redis.hgetall(usage_keys.hits(UPSTREAM, day))
    measures = {"purchases": 1, "bought": 1, "list": 90, "billed": 100, "overrun": 30}
    assert counted == {
        f"{clock[:2]}{whose}:{measure}": str(number)
        for whose in ("", "/web", "/web/shop")
        for measure, number in measures.items()
    }


async def test_a_day_that_is_full_counts_further_keys_as_one(usage: Usage, redis: Redis) -> None:
    today = (await usage.today()).isoformat()
    full: dict[Any, Any] = {f"a/b/{key}|m|low|answered:answers": 1 for key in range(9_999)}
    await redis.hset(usage_keys.breakdown(UPSTREAM, today), mapping=full)

    for number, key in enumerate(("x", "y", "z", "x")):
        counts = {f"web/shop/{key}|m|low|answered:answers": 1}
        await usage.add(UPSTREAM, counts, batch=f"a:{number}", before="")

    [(_, measures, breakdown)] = [
        each async for each in usage.days(UPSTREAM, [today], broken_down=True)
    ]
    assert measures == {"web/shop:answers": "4"}
    mine = {field: number for field, number in breakdown.items() if field.startswith("web/")}
    assert mine == {
        "web/shop/x|m|low|answered:answers": "2",
        "web/shop/other|m|low|answered:answers": "2",
    }

"""Sums of the roll-ups: they always say the same, also of what earlier versions counted."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from adding_up import assert_added_up
from redis.asyncio import Redis

from falgate.core.calendar import Calendar
from falgate.jobs.job import Job, Order
from falgate.money.store.archive import Archiving
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.redis import usage_keys

UPSTREAM = "https://queue.example"
Counted = Mapping[str, int]
ANSWERS: Counted = {
    "web/shop/k|m/a|low|answered:answers": 3,
    "web/shop/k|m/b|low|answered:answers": 2,
    "web/blog/k|m/a|high|answered:answers": 1,
    "ops/jobs/k|m/a|low|answered:answers": 7,
    "web/shop/k|m/a|low|answered:saved": 68_000,
}


@pytest.fixture
def usage(redis: Redis, calendar: Calendar) -> Usage:
    return Usage(redis, calendar)


@pytest.fixture
def sums(redis: Redis) -> UsageSums:
    return UsageSums(redis)


async def as_earlier_versions(redis: Redis, day: str, counted: Counted = ANSWERS) -> None:
    """Count as a version did that had no sums."""
    for field, number in counted.items():
        subject, _, measure = field.rpartition(":")
        app = "/".join(subject.split("/")[:2])
        await redis.hincrby(usage_keys.usage(UPSTREAM, day), f"{app}:{measure}", number)
        await redis.hincrby(usage_keys.breakdown(UPSTREAM, day), field, number)


async def test_answers_and_purchases_are_summed_by_team_outcome_and_model(
    usage: Usage,
    sums: UsageSums,
    redis: Redis,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
) -> None:
    await bring(order(team="web", app="shop"), "paid", charge=130)
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    await usage.add(UPSTREAM, ANSWERS, batch="a:1", before="a:0")

    today = (await usage.today()).isoformat()
    parts = ["", "web", "web|answered", "|answered|m/a", "web|paid", "none", "web|paid|m/a"]
    found = await sums.of(UPSTREAM, [today, today[:7]], parts, ["answers", "billed"])

    assert found[0] == {
        "": {"answers": 26, "billed": 100},
        "web": {"answers": 12, "billed": 100},
        "web|answered": {"answers": 12},
        "|answered|m/a": {"answers": 22},
        "web|paid": {"billed": 100},
        "none": {},
        "web|paid|m/a": {},
    }
    assert found[1]["web"] == {"answers": 12, "billed": 100}
    teams = await sums.teams(UPSTREAM, today[:7])
    assert {team: each["answers"] for team, each in teams.items()} == {"": 26, "web": 12, "ops": 14}
    await assert_added_up(redis, UPSTREAM)


async def test_adding_up_again_changes_nothing(
    usage: Usage,
    sums: UsageSums,
    everything: Callable[[], Awaitable[dict[str, Any]]],
) -> None:
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    counted = await everything()

    today = (await usage.today()).isoformat()
    await sums.add_up(UPSTREAM, today, again=True)
    await sums.add_up(UPSTREAM, "2020-01-01", again=True)

    assert await everything() == counted


async def test_days_that_an_earlier_version_counted_are_added_up_at_a_start(
    usage: Usage, sums: UsageSums, redis: Redis
) -> None:
    today = await usage.today()
    days = [(today - timedelta(days=back)).isoformat() for back in (0, 1, 45, 46, 300, 3_000)]
    for day in days:
        await as_earlier_versions(redis, day)
    # An instance of this version counted before all others were stopped, and before a start.
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    await as_earlier_versions(redis, days[0])

    assert await sums.complete(UPSTREAM, today) == len(days)

    await assert_added_up(redis, UPSTREAM)
    assert await sums.complete(UPSTREAM, today) == 0
    await usage.add(UPSTREAM, ANSWERS, batch="a:1", before="a:0")
    await assert_added_up(redis, UPSTREAM)


async def test_a_start_that_was_interrupted_is_made_up_for(
    usage: Usage, sums: UsageSums, redis: Redis
) -> None:
    today = await usage.today()
    days = [(today - timedelta(days=back)).isoformat() for back in range(130)]
    for day in days:
        await as_earlier_versions(redis, day)
    for day in days[100:]:
        await sums.add_up(UPSTREAM, day)

    assert await sums.complete(UPSTREAM, today) == 100
    await assert_added_up(redis, UPSTREAM)


async def test_nothing_is_written_where_nothing_was_counted(
    usage: Usage, sums: UsageSums, redis: Redis
) -> None:
    assert await sums.complete(UPSTREAM, await usage.today()) == 0
    assert await redis.dbsize() == 0


async def test_parts_of_a_day_whose_breakdown_was_swept_stay(
    usage: Usage, sums: UsageSums, redis: Redis
) -> None:
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    today = (await usage.today()).isoformat()
    counted = await redis.hgetall(usage_keys.day_sums(UPSTREAM, today))
    await redis.delete(usage_keys.breakdown(UPSTREAM, today))

    await sums.add_up(UPSTREAM, today, again=True)

    assert await redis.hgetall(usage_keys.day_sums(UPSTREAM, today)) == counted


async def test_a_sweep_makes_up_for_what_was_counted_in_part(usage: Usage, redis: Redis) -> None:
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    today = (await usage.today()).isoformat()
    await as_earlier_versions(redis, today)

    await Archiving(redis, "owner").sweep(UPSTREAM)

    await assert_added_up(redis, UPSTREAM)


async def test_callers_are_those_since_a_day_and_forgotten_later(
    usage: Usage, sums: UsageSums, redis: Redis
) -> None:
    await usage.add(UPSTREAM, ANSWERS, batch="a:0", before="")
    today = await usage.today()
    await redis.zadd(usage_keys.callers(UPSTREAM), {"m/a|old/app": 20_200_101})

    every = await sums.callers(UPSTREAM, date(2020, 1, 1))
    lately = await sums.callers(UPSTREAM, today)

    assert sorted(lately) == [
        ("m/a", "ops/jobs"), ("m/a", "web/blog"), ("m/a", "web/shop"), ("m/b", "web/shop")
    ]  # fmt: skip
    assert sorted({*every} - {*lately}) == [("m/a", "old/app")]
    assert await sums.callers(UPSTREAM, today + timedelta(days=1)) == []
    await Archiving(redis, "owner").sweep(UPSTREAM)
    assert sorted(await sums.callers(UPSTREAM, date(2020, 1, 1))) == sorted(lately)

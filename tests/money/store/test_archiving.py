"""Archiving: entries leave the ledger once, what they came to stays, old counters are swept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core.account import ORGANISATION, Account, account
from falgate.core.calendar import Calendar
from falgate.money.entry import read
from falgate.money.store.archive import Archiving
from falgate.money.store.entries import Entries, Raw
from falgate.money.store.verify import verify
from falgate.money.sums import Sums, recent
from falgate.redis import keyspace, usage_keys

UPSTREAM = "https://queue.example"
DAY_MS = 86_400_000
UTC_CALENDAR = Calendar(UTC)


@pytest.fixture
def archiving(redis: Redis) -> Archiving:
    return Archiving(redis, "one")


@pytest.fixture
async def old(redis: Redis, archiving: Archiving) -> int:
    """Books of 100 days, ten closes a day, every counter as it has to be; Redis's time, ms."""
    now_ms = await archiving.now_ms()
    sums = Sums({})
    pipeline: Any = redis.pipeline(transaction=False)
    for each in range(1_000):
        at_ms = now_ms - 100 * DAY_MS + each * DAY_MS // 10
        fields: dict[Any, Any] = {
            "kind": "close", "job": f"job-{each}", "outcome": "paid", "team": "t", "app": "p",
            "key": f"k{each % 2}", "held": "9", "billed": "5", "overrun": "1", "bought": "1",
            "list": "4", "windows": " ".join(w.name for w in UTC_CALENDAR.windows(at_ms)),
            "charged_model": "" if each < 500 else "a/b",
        }  # fmt: skip
        pipeline.xadd(keyspace.ledger(UPSTREAM), fields, id=f"{at_ms}-0")
        sums.add(read(f"{at_ms}-0", fields))
    for name, counters in sums.accounts.items():
        pipeline.sadd(keyspace.accounts(UPSTREAM), name)
        pipeline.hset(keyspace.account(UPSTREAM, account(name)), mapping=dict(counters))
    for day, measures in sums.usage.items():
        pipeline.hset(usage_keys.usage(UPSTREAM, day), mapping=dict(measures))
    pipeline.hset(keyspace.overage(UPSTREAM), "overrun", str(sums.overage))
    await pipeline.execute()
    return now_ms


def come_to(batch: list[Raw], now_ms: int) -> dict[str, int]:
    sums = Sums(recent(now_ms))
    for entry, fields in batch:
        sums.add(read(entry, fields))
    return dict(sums.balances())


async def test_a_batch_leaves_once_and_the_books_still_agree(
    archiving: Archiving,
    redis: Redis,
    old: int,
    everything: Callable[[], Awaitable[dict[str, Any]]],
) -> None:
    assert (await verify(redis, UPSTREAM)).differences == ()
    batch = await archiving.first(UPSTREAM, 150)
    await redis.hset(keyspace.corrected(UPSTREAM), mapping={"job-7": "4:0", "job-700": "4:0"})

    assert await archiving.take_out(UPSTREAM, batch, come_to(batch, old))
    after = await everything()
    assert not await archiving.take_out(UPSTREAM, batch, come_to(batch, old))

    assert await everything() == after
    assert await redis.xlen(keyspace.ledger(UPSTREAM)) == 850
    assert await redis.hkeys(keyspace.corrected(UPSTREAM)) == ["job-700"]
    assert await Entries(redis).archived_until(UPSTREAM) == batch[-1][0]
    found = await verify(redis, UPSTREAM)
    assert (found.entries, found.differences) == (850, ())


async def test_a_ledger_that_is_all_archived_still_agrees(
    archiving: Archiving, redis: Redis, old: int
) -> None:
    while batch := await archiving.first(UPSTREAM, 300):
        assert await archiving.take_out(UPSTREAM, batch, come_to(batch, old))

    found = await verify(redis, UPSTREAM)
    assert (found.entries, found.differences) == (0, ())
    await redis.hincrby(keyspace.opening(UPSTREAM), "team:t|total:all|spent", 1)
    assert len((await verify(redis, UPSTREAM)).differences) == 1


async def test_an_archive_made_meanwhile_is_no_difference(
    archiving: Archiving, redis: Redis, old: int
) -> None:
    batch = await archiving.first(UPSTREAM, 300)

    async def soon() -> bool:
        # While the first pages are added up.
        await redis.ping()
        return await archiving.take_out(UPSTREAM, batch, come_to(batch, old))

    found, taken = await asyncio.gather(verify(redis, UPSTREAM), soon())

    assert taken
    assert found.differences == ()


async def test_an_amount_that_is_none_takes_nothing_out(
    archiving: Archiving, redis: Redis, old: int
) -> None:
    batch = await archiving.first(UPSTREAM, 10)
    sums: dict[str, Any] = {**come_to(batch, old), "overage||overrun": "1e9"}

    with pytest.raises(Exception, match="ledger"):
        await archiving.take_out(UPSTREAM, batch, sums)

    assert await redis.xlen(keyspace.ledger(UPSTREAM)) == 1_000
    assert not await redis.exists(keyspace.opening(UPSTREAM))


async def test_old_counters_are_swept_and_the_books_still_agree(
    archiving: Archiving, redis: Redis, old: int
) -> None:
    batch = await archiving.first(UPSTREAM, 500)
    await archiving.take_out(UPSTREAM, batch, come_to(batch, old))
    key = keyspace.account(UPSTREAM, ORGANISATION)
    before: Any = await redis.hgetall(key)

    assert await archiving.sweep(UPSTREAM) > 100
    assert await archiving.sweep(UPSTREAM) == 0

    after: Any = await redis.hgetall(key)
    gone = {field.split(":")[1] for field in before.keys() - after.keys()}
    assert gone == {"hour", "day", "week"}
    in_force = {f"spent:{window.name}" for window in UTC_CALENDAR.windows(old)}
    assert in_force & set(before) <= set(after)
    assert (await verify(redis, UPSTREAM)).differences == ()


@pytest.mark.usefixtures("old")
async def test_a_window_with_something_held_is_not_swept(
    archiving: Archiving, redis: Redis
) -> None:
    key = keyspace.account(UPSTREAM, Account("team", "t"))
    fields: Any = await redis.hkeys(key)
    oldest = min(field for field in fields if field.startswith("spent:hour:"))
    await redis.hset(key, oldest.replace("spent", "held"), "9")

    await archiving.sweep(UPSTREAM)

    assert await redis.hexists(key, oldest)


@pytest.mark.usefixtures("old")
async def test_only_one_instance_archives(archiving: Archiving, redis: Redis) -> None:
    other = Archiving(redis, "two")

    assert await archiving.turn(UPSTREAM, 60)
    assert await archiving.turn(UPSTREAM, 60)
    assert not await other.turn(UPSTREAM, 60)
    await other.left(UPSTREAM)
    assert not await other.turn(UPSTREAM, 60)
    await archiving.left(UPSTREAM)
    assert await other.turn(UPSTREAM, 60)


async def test_hits_by_the_hour_and_used_ids_are_forgotten_in_time(
    archiving: Archiving, redis: Redis
) -> None:
    now_ms = await archiving.now_ms()
    days = [UTC_CALENDAR.windows(now_ms - age * DAY_MS)[1].id for age in (0, 39, 42, 90)]
    for day in days:
        await redis.hset(usage_keys.hits(UPSTREAM, day), "14/t/p:hits", "1")
    await redis.zadd(keyspace.POSTED, {"new": now_ms, "old": now_ms - 8 * DAY_MS})

    await archiving.sweep(UPSTREAM)

    there = [await redis.exists(usage_keys.hits(UPSTREAM, day)) for day in days]
    assert there == [1, 1, 0, 0]
    assert await redis.zrange(keyspace.POSTED, 0, -1) == ["new"]

"""The proof of the books in Redis: one instance at a time, and its result for all of them."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis
from standing import standing

from falgate.core.account import ORGANISATION
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.money.store.verifications import Verifications
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"


async def test_of_two_instances_one_has_the_turn_for_its_lease(redis: Redis) -> None:
    one, two = Verifications(redis, "one"), Verifications(redis, "two")

    turns = [await each.take_round(UPSTREAM, 60_000) for each in (one, two, one)]

    assert turns == [True, False, False]
    assert await two.take_round("another seller", 60_000)
    assert await redis.get(keyspace.verifier(UPSTREAM)) == "one"
    assert 0 < await redis.pttl(keyspace.verifier(UPSTREAM)) <= 60_000


async def test_every_instance_knows_what_one_has_found(
    redis: Redis, bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> None:
    one = Verifications(redis, "one")
    await bring(order(), "paid")
    assert (await standing(redis, UPSTREAM)).verified is None

    for differences in (0, 1):
        assert await one.differences(UPSTREAM) == differences
        verified = await one.keep(UPSTREAM, differences)
        assert (await standing(redis, UPSTREAM)).verified == verified
        assert verified.differences == differences
        assert verified.at_ms > 0
        await redis.hincrby(keyspace.account(UPSTREAM, ORGANISATION), "spent:total:all", 1)


async def test_without_redis_nothing_is_found(nobody: Redis) -> None:
    nowhere = Verifications(nobody, "one")

    for step in (
        nowhere.take_round(UPSTREAM, 1),
        nowhere.differences(UPSTREAM),
        nowhere.keep(UPSTREAM, 0),
    ):
        with pytest.raises(Unavailable):
            await step

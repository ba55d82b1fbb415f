"""Pools: appended by job, replaced by comparison, kept for a while, empty without Redis."""

from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core.claim import Seen
from falgate.core.errors import Unavailable
from falgate.core.picture import Picture, Pool
from falgate.store import _keys
from falgate.store.connect import connect
from falgate.store.pools import Pools

TTL_S = 600


@pytest.fixture
def pools(redis: Redis) -> Pools:
    return Pools(redis, ttl_s=TTL_S)


def picture(digit: str) -> Picture:
    return Picture(
        sha256=digit * 64, content_type="image/png", size_bytes=9, width=1, height=2, made_s=7
    )


ONE, TWO, THREE = picture("1"), picture("2"), picture("3")


async def test_a_pool_that_nobody_bought_for_is_empty(pools: Pools) -> None:
    assert await pools.read("f") == Pool(0, ())


async def test_pictures_are_kept_in_the_order_of_purchase(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (TWO, ONE))
    assert first is not None
    second = await pools.append("f", "b", first.generation, (THREE,))

    assert (first.count, second) == (2, Seen(first.generation, 3))
    assert first.generation > 0
    assert await pools.read("f") == Pool(first.generation, (TWO, ONE, THREE))
    assert await pools.read("g") == Pool()


async def test_a_job_appends_once_however_often_it_says_so(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    assert await pools.append("f", "b", first.generation, (TWO,)) == Seen(first.generation, 2)

    assert await pools.append("f", "a", 0, (ONE,)) == Seen(first.generation, 2)
    assert (await pools.read("f")).pictures == (ONE, TWO)


async def test_new_pictures_take_the_place_of_all_and_begin_a_generation(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE, TWO))
    assert first is not None

    for _ in range(2):  # a repeated step
        await pools.renew("f", "b", first.generation, (THREE,))
    found = await pools.read("f")
    assert (found.pictures, found.generation > first.generation) == ((THREE,), True)
    assert await pools.append("f", "c", first.generation, (TWO,)) is None

    await pools.renew("f", "d", first.generation, (ONE,))
    assert await pools.read("f") == found

    await pools.renew("empty", "e", 0, (ONE,))
    assert (await pools.read("empty")).pictures == (ONE,)


async def test_a_job_is_not_mistaken_for_one_whose_id_contains_its_own(pools: Pools) -> None:
    first = await pools.append("f", "job-12", 0, (ONE,))
    assert first is not None

    for number, job_id in enumerate(["job-1", "ob-12", "2"], 2):
        assert await pools.append("f", job_id, first.generation, (picture(str(number)),)) == Seen(
            first.generation, number
        )


async def test_a_picture_that_is_there_is_not_added_again(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE, ONE))
    assert first is not None

    assert first.count == 1
    assert await pools.append("f", "b", first.generation, (TWO, ONE)) == Seen(first.generation, 2)
    assert (await pools.read("f")).pictures == (ONE, TWO)


@pytest.mark.parametrize("off_by", [-1, 1])
async def test_an_append_to_another_generation_changes_nothing(
    off_by: int, pools: Pools, everything: Any
) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    before = await everything()

    assert await pools.append("f", "b", first.generation + off_by, (TWO,)) is None
    assert await pools.append("f", "b", 0, (TWO,)) is None
    assert await everything() == before


async def test_a_pool_that_is_gone_is_begun_anew_by_what_was_bought_for_it(
    pools: Pools, redis: Redis
) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    await redis.delete(_keys.pool("f"))

    second = await pools.append("f", "b", first.generation, (TWO,))

    assert second is not None
    assert second.generation >= first.generation
    assert (await pools.read("f")).pictures == (TWO,)


async def test_what_replaces_a_pool_starts_the_next_generation(pools: Pools) -> None:
    await pools.append("f", "a", 0, (ONE, TWO))
    read = await pools.read("f")

    await pools.replace("f", read, (TWO,))

    left = await pools.read("f")
    assert left.pictures == (TWO,)
    assert left.generation > read.generation
    assert await pools.append("f", "b", read.generation, (THREE,)) is None
    seen = await pools.append("f", "b", left.generation, (THREE,))
    assert seen == Seen(left.generation, 2)
    assert await pools.read("f") == Pool(left.generation, (TWO, THREE))


async def test_an_emptied_pool_is_still_of_its_generation(pools: Pools) -> None:
    await pools.append("f", "a", 0, (ONE,))
    read = await pools.read("f")

    await pools.replace("f", read, ())

    left = await pools.read("f")
    assert left.pictures == ()
    assert left.generation > read.generation
    assert await pools.append("f", "b", left.generation, (TWO,)) == Seen(left.generation, 1)


async def test_a_generation_is_raised_even_when_the_clock_stands_behind_it(
    pools: Pools, redis: Redis
) -> None:
    await pools.append("f", "a", 0, (ONE,))
    ahead = 10**14
    await redis.hset(_keys.pool("f"), "generation", str(ahead))

    await pools.replace("f", await pools.read("f"), (ONE,))

    assert (await pools.read("f")).generation == ahead + 1


async def test_a_pool_that_has_changed_since_is_not_replaced(pools: Pools, everything: Any) -> None:
    await pools.append("f", "a", 0, (ONE,))
    read = await pools.read("f")
    await pools.append("f", "b", read.generation, (TWO,))
    grown = await everything()

    await pools.replace("f", read, ())
    assert await everything() == grown
    grown_pool = await pools.read("f")
    await pools.replace("f", grown_pool, (ONE,))
    replaced = await everything()
    await pools.replace("f", grown_pool, ())
    assert await everything() == replaced


async def test_a_pool_that_is_gone_is_not_replaced(pools: Pools, redis: Redis) -> None:
    await pools.replace("f", Pool(7, (ONE,)), (ONE,))

    assert await redis.dbsize() == 0


async def test_each_purchase_lengthens_a_pools_life_and_a_replacement_does_not(
    pools: Pools, redis: Redis
) -> None:
    key = _keys.pool("f")
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    assert TTL_S - 60 < await redis.ttl(key) <= TTL_S
    await redis.expire(key, 30)

    await pools.replace("f", await pools.read("f"), (ONE,))
    assert 0 < await redis.ttl(key) <= 30
    generation = (await pools.read("f")).generation
    await pools.append("f", "b", generation, (TWO,))
    assert TTL_S - 60 < await redis.ttl(key) <= TTL_S


async def test_without_redis_a_pool_is_not_taken_for_empty_and_takes_nothing(
    closed_port_url: str,
) -> None:
    async with connect(closed_port_url) as nobody:
        pools = Pools(nobody, ttl_s=TTL_S)

        with pytest.raises(Unavailable):
            await pools.read("f")
        with pytest.raises(Unavailable):
            await pools.append("f", "a", 0, (ONE,))

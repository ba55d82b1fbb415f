"""Pools: appended by job, renewed by comparison, as long-lived as their pictures."""

from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.cache.store.pools import Pools
from falgate.core.errors import Unavailable
from falgate.core.picture import Picture, Pool
from falgate.redis import keyspace, picture_keys

LATER_S = 10**10


@pytest.fixture
def pools(redis: Redis) -> Pools:
    return Pools(redis)


def picture(digit: str, until_s: int = LATER_S) -> Picture:
    return Picture(
        sha256=digit * 64,
        content_type="image/png",
        size_bytes=9,
        width=1,
        height=2,
        made_s=7,
        until_s=until_s,
    )


ONE, TWO, THREE = picture("1"), picture("2"), picture("3")
OLD = picture("0", until_s=1)


async def there(pools: Pools, fingerprint: str = "f") -> tuple[int, tuple[Picture, ...]]:
    pool = await pools.read(fingerprint)
    return pool.generation, pool.pictures


async def test_a_pool_that_nobody_bought_for_is_empty_and_says_when_it_was_read(
    pools: Pools, redis: Redis
) -> None:
    pool = await pools.read("f")

    assert (pool.generation, pool.pictures) == (0, ())
    assert abs(pool.read_s - (await redis.time())[0]) <= 1


async def test_pictures_are_kept_in_the_order_of_purchase(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (TWO, ONE))
    assert first is not None
    second = await pools.append("f", "b", first.generation, (THREE,))

    assert first == PoolVersion(first.generation, 2)
    assert second == PoolVersion(first.generation, 3)
    assert await there(pools) == (first.generation, (TWO, ONE, THREE))
    assert await there(pools, "g") == (0, ())


async def test_several_pools_are_read_at_once(pools: Pools) -> None:
    await pools.append("f", "a", 0, (ONE,))
    await pools.append("h", "b", 0, (TWO,))

    found = await pools.read_all(("f", "g", "h"))

    assert [pool.pictures for pool in found] == [(ONE,), (), (TWO,)]


async def test_a_job_appends_once_however_often_it_says_so(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    assert await pools.append("f", "b", first.generation, (TWO,)) == PoolVersion(
        first.generation, 2
    )

    assert await pools.append("f", "a", 0, (ONE,)) == PoolVersion(first.generation, 2)
    assert (await pools.read("f")).pictures == (ONE, TWO)


async def test_new_pictures_take_the_place_of_all_and_begin_a_generation(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE, TWO))
    assert first is not None

    seen = await pools.renew("f", "b", first.generation, (THREE,))

    assert seen is not None
    assert seen.generation > first.generation
    assert seen.count == 1
    assert await there(pools) == (seen.generation, (THREE,))
    assert await pools.renew("f", "b", first.generation, (THREE,)) == seen
    assert await pools.append("f", "c", first.generation, (TWO,)) is None
    assert await pools.renew("f", "d", first.generation, (ONE,)) is None
    assert (await pools.read("f")).pictures == (THREE,)
    assert await pools.renew("empty", "e", 0, (ONE,)) is not None
    assert (await pools.read("empty")).pictures == (ONE,)


async def test_a_job_is_not_mistaken_for_one_whose_id_contains_its_own(pools: Pools) -> None:
    first = await pools.append("f", "job-12", 0, (ONE,))
    assert first is not None

    for number, job_id in enumerate(("job-1", "ob-12", "-"), start=2):
        assert await pools.append(
            "f", job_id, first.generation, (picture(str(number)),)
        ) == PoolVersion(first.generation, number)


async def test_a_picture_that_is_there_is_not_added_again(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE, ONE))
    assert first is not None
    assert first.count == 1

    assert await pools.append("f", "b", first.generation, (TWO, ONE)) == PoolVersion(
        first.generation, 2
    )
    assert (await pools.read("f")).pictures == (ONE, TWO)


@pytest.mark.parametrize("off_by", [-1, 1])
async def test_what_was_bought_for_another_generation_is_not_added(
    off_by: int, pools: Pools, everything: Any
) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    before = await everything()

    assert await pools.append("f", "b", first.generation + off_by, (TWO,)) is None
    assert await everything() == before


async def test_of_several_that_found_no_pool_the_first_begins_it(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None

    assert await pools.append("f", "b", 0, (TWO,)) == PoolVersion(first.generation, 2)
    assert (await pools.read("f")).pictures == (ONE, TWO)


async def test_what_was_bought_for_no_pool_is_not_added_to_one_that_has_moved_on(
    pools: Pools, everything: Any
) -> None:
    await pools.append("f", "a", 0, (ONE,))
    await pools.remove("f", {ONE.sha256})
    before = await everything()

    assert await pools.append("f", "b", 0, (TWO,)) is None
    assert await everything() == before


async def test_a_pool_that_is_gone_is_begun_anew_by_what_was_bought_for_it(
    pools: Pools, redis: Redis
) -> None:
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    await redis.delete(picture_keys.pool("f"))

    second = await pools.append("f", "b", first.generation, (TWO,))

    assert second is not None
    assert second.generation >= first.generation
    assert (await pools.read("f")).pictures == (TWO,)


async def test_what_is_too_old_is_left_out_when_something_is_added(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (OLD, ONE))
    assert first == PoolVersion(first.generation if first else 0, 2)

    second = await pools.append("f", "b", first.generation, (TWO,))

    assert second is not None
    assert (await pools.read("f")).pictures == (ONE, TWO)
    # Who has seen two before must not think that these are the same two.
    assert second.generation > first.generation


async def test_what_is_taken_out_begins_the_next_generation(pools: Pools) -> None:
    first = await pools.append("f", "a", 0, (ONE, TWO, THREE))
    assert first is not None

    assert await pools.remove("f", {ONE.sha256, THREE.sha256, OLD.sha256}) == 2

    generation, left = await there(pools)
    assert left == (TWO,)
    assert generation > first.generation
    assert await pools.append("f", "b", first.generation, (ONE,)) is None
    assert await pools.append("f", "a", generation, (THREE,)) == PoolVersion(generation, 2)


async def test_where_nothing_is_taken_out_nothing_changes(
    pools: Pools, everything: Any, redis: Redis
) -> None:
    assert await pools.remove("f", {ONE.sha256}) == 0
    assert await redis.dbsize() == 0
    await pools.append("f", "a", 0, (ONE,))
    before = await everything()

    assert await pools.remove("f", {TWO.sha256}) == 0
    assert await everything() == before


async def test_the_next_generation_is_later_even_if_the_clock_went_back(
    pools: Pools, redis: Redis
) -> None:
    await pools.append("f", "a", 0, (ONE, TWO))
    ahead = 10**14
    await redis.hset(picture_keys.pool("f"), "generation", str(ahead))

    await pools.remove("f", {ONE.sha256})

    assert (await pools.read("f")).generation == ahead + 1


@pytest.mark.parametrize("before", [(), (ONE, TWO)], ids=["empty", "full"])
async def test_an_emptied_pool_takes_nothing_that_was_on_its_way(
    before: tuple[Picture, ...], pools: Pools, redis: Redis
) -> None:
    was = await pools.append("f", "a", 0, before) if before else PoolVersion()
    assert was is not None

    assert await pools.empty("f") == len(before)

    generation, left = await there(pools)
    assert left == ()
    assert generation > was.generation
    assert await pools.append("f", "b", was.generation, (THREE,)) is None
    assert 0 < await redis.ttl(picture_keys.pool("f")) <= keyspace.EMPTIED_S
    assert await pools.append("f", "c", generation, (ONE,)) == PoolVersion(generation, 1)


async def test_a_pool_lives_as_long_as_its_longest_lived_picture(
    pools: Pools, redis: Redis
) -> None:
    key = picture_keys.pool("f")
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    assert await redis.expiretime(key) == LATER_S

    later = replace(TWO, until_s=LATER_S + 5)
    await pools.append("f", "b", first.generation, (later, THREE))
    assert await redis.expiretime(key) == LATER_S + 5
    await pools.remove("f", {later.sha256})
    assert await redis.expiretime(key) == LATER_S
    generation, _ = await there(pools)
    await pools.append("f", "c", generation, (replace(TWO, until_s=0),))
    assert await redis.expiretime(key) == -1
    await pools.renew("f", "d", generation, (ONE,))
    assert await redis.expiretime(key) == LATER_S


async def test_pictures_are_handed_out_for_longer_and_for_ever(pools: Pools, redis: Redis) -> None:
    await pools.append("f", "a", 0, (ONE, TWO))
    generation, _ = await there(pools)
    key = picture_keys.pool("f")

    assert await pools.keep("f", {TWO.sha256, THREE.sha256}, LATER_S + 9) == 1
    assert await there(pools) == (generation, (ONE, replace(TWO, until_s=LATER_S + 9)))
    assert await redis.expiretime(key) == LATER_S + 9
    assert await pools.keep("f", {ONE.sha256}, 0) == 1
    assert await redis.expiretime(key) == -1
    # What is kept for ever stays so, unless somebody means just that.
    assert await pools.keep("f", {ONE.sha256}, LATER_S) == 0
    assert await pools.keep("f", {ONE.sha256}, LATER_S, pinned=True) == 1
    assert (await pools.read("f")).pictures[0] == ONE
    assert await pools.keep("g", {ONE.sha256}, 0) == 0


async def test_without_redis_a_pool_is_not_taken_for_empty_and_takes_nothing(
    nobody: Redis,
) -> None:
    pools = Pools(nobody)

    for asked in (
        lambda: pools.read("f"),
        lambda: pools.append("f", "a", 0, (ONE,)),
        lambda: pools.remove("f", {"1"}),
        lambda: pools.empty("f"),
        lambda: pools.keep("f", {"1"}, 0),
    ):
        with pytest.raises(Unavailable):
            await asked()


def test_what_is_too_old_is_not_fresh_and_what_is_kept_for_ever_is() -> None:
    assert [OLD.fresh(0), OLD.fresh(1), ONE.fresh(LATER_S - 1)] == [True, False, True]
    assert replace(OLD, until_s=0).fresh(LATER_S)
    assert Pool().pictures == ()

"""What the port of pools promises, in memory and on Redis."""

from sides import Side, picture

from falgate.cache.pool import PoolVersion
from falgate.core.picture import Picture, Pool

A, B, C = (picture(letter) for letter in "abc")
OLD = picture("d", until_s=1)


async def appended(side: Side, job_id: str, generation: int, *pictures: Picture) -> PoolVersion:
    """The version of a pool that has another job's pictures now."""
    version = await side.pools.append("f", job_id, generation, pictures)
    assert version is not None
    return version


async def pictures(side: Side) -> tuple[Picture, ...]:
    return (await side.pools.read("f")).pictures


async def test_a_pool_that_nobody_bought_for_is_empty(side: Side) -> None:
    pool = await side.pools.read("f")
    assert pool == Pool(read_s=pool.read_s)
    assert abs(pool.read_s - await side.jobs.now_ms() // 1000) <= 1


async def test_pictures_are_appended_in_the_order_of_purchase(side: Side) -> None:
    first = await appended(side, "a", 0, B)
    second = await appended(side, "b", first.generation, A, C)
    assert (first.count, second) == (1, PoolVersion(first.generation, 3))
    pool = await side.pools.read("f")
    assert (pool.generation, pool.pictures) == (first.generation, (B, A, C))
    assert (await side.pools.read("g")).pictures == ()


async def test_a_job_appends_once_and_is_told_the_present_version(side: Side) -> None:
    first = await appended(side, "a", 0, A)
    second = await appended(side, "b", first.generation, B)
    assert await side.pools.append("f", "a", 0, (C,)) == second
    assert await pictures(side) == (A, B)


async def test_purchases_that_found_no_pool_begin_it_together(side: Side) -> None:
    first = await appended(side, "a", 0, A)
    assert await appended(side, "b", 0, B) == PoolVersion(first.generation, 2)
    assert await side.pools.remove("f", [A.sha256]) == 1
    assert await side.pools.append("f", "c", 0, (C,)) is None
    assert await pictures(side) == (B,)


async def test_a_purchase_for_another_generation_is_not_appended(side: Side) -> None:
    first = await appended(side, "a", 0, A)
    for wrong in (first.generation - 1, first.generation + 1):
        assert await side.pools.append("f", "b", wrong, (B,)) is None
    assert await pictures(side) == (A,)


async def test_a_purchase_for_a_pool_that_is_gone_begins_a_new_one(side: Side) -> None:
    assert (await appended(side, "a", 5, A)).generation > 5
    assert await pictures(side) == (A,)


async def test_a_picture_that_is_there_is_not_appended_twice(side: Side) -> None:
    first = await appended(side, "a", 0, A, A)
    again = picture("a", until_s=10**10)
    assert (await appended(side, "b", first.generation, again, B)).count == 2
    assert await pictures(side) == (A, B)


async def test_expired_pictures_leave_with_the_next_purchase(side: Side) -> None:
    first = await appended(side, "a", 0, OLD, A)
    assert await pictures(side) == (OLD, A)

    second = await appended(side, "b", first.generation, B)

    assert second.generation > first.generation
    assert second.count == 2
    assert await pictures(side) == (A, B)
    assert await side.pools.append("f", "c", 0, (C,)) is None


async def test_a_pool_whose_pictures_have_all_expired_is_none(side: Side) -> None:
    first = await appended(side, "a", 0, OLD)
    assert first.count == 1
    pool = await side.pools.read("f")
    assert (pool.generation, pool.pictures) == (0, ())
    assert (await appended(side, "a", 0, A)).count == 1


async def test_a_renewal_replaces_all_pictures_once(side: Side) -> None:
    first = await appended(side, "a", 0, A, B)
    second = await side.pools.renew("f", "b", first.generation, (C,))
    assert second is not None
    assert second.generation > first.generation
    assert second.count == 1
    assert await side.pools.renew("f", "b", first.generation, (A,)) == second
    assert await side.pools.append("f", "b", first.generation, (A,)) == second
    assert await pictures(side) == (C,)


async def test_a_renewal_keeps_out_who_read_the_pool_before(side: Side) -> None:
    first = await appended(side, "a", 0, A)
    assert await side.pools.renew("f", "b", first.generation, (B,))
    for job_id, generation in [("a", 0), ("c", 0), ("d", first.generation)]:
        assert await side.pools.append("f", job_id, generation, (C,)) is None
    assert await side.pools.renew("f", "d", first.generation, (C,)) is None
    assert await pictures(side) == (B,)


async def test_a_renewal_of_no_pool_begins_one(side: Side) -> None:
    assert await side.pools.renew("f", "a", 5, (A,)) is None
    renewed = await side.pools.renew("f", "a", 0, (A,))
    assert renewed is not None
    assert renewed.generation > 0
    assert await side.pools.append("f", "b", 0, (B,)) is None
    assert await pictures(side) == (A,)


async def test_a_removal_begins_the_next_generation(side: Side) -> None:
    first = await appended(side, "a", 0, A, B)
    assert await side.pools.remove("f", [A.sha256, C.sha256]) == 1
    pool = await side.pools.read("f")
    assert pool.generation > first.generation
    assert pool.pictures == (B,)
    for job_id in ("a", "b"):
        assert await side.pools.append("f", job_id, first.generation, (C,)) is None
    assert (await appended(side, "a", pool.generation, C)).count == 2


async def test_removing_what_is_not_there_changes_nothing(side: Side) -> None:
    assert await side.pools.remove("f", [A.sha256]) == 0
    first = await appended(side, "a", 0, A)
    assert await side.pools.remove("f", [B.sha256]) == 0
    assert (await side.pools.read("f")).generation == first.generation
    assert await side.pools.append("f", "a", 0, (B,)) == first


async def test_an_emptied_pool_still_keeps_out_who_read_it_before(side: Side) -> None:
    first = await appended(side, "a", 0, A)
    assert await side.pools.remove("f", [A.sha256]) == 1
    emptied = await side.pools.read("f")
    assert (emptied.generation > first.generation, emptied.pictures) == (True, ())
    for generation in (0, first.generation):
        assert await side.pools.append("f", "b", generation, (B,)) is None
    assert (await appended(side, "b", emptied.generation, B)).count == 1

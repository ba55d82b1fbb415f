"""The catalogue: filed before stored, found by what it is for, worth what it would cost again."""

import asyncio
from typing import Any

import pytest
from contents import found
from redis.asyncio import Redis

from falgate.cache.fingerprint import prompt_digest
from falgate.core.errors import Unavailable
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.store.catalogue import Catalogue
from falgate.redis import picture_keys


async def test_a_picture_is_filed_with_its_pool_before_it_is_stored(world: Any) -> None:
    kept = await world.file("one", arguments={"prompt": "a cat"})

    record = await world.record(kept)
    assert (record.size_bytes, record.value, record.app) == (3, 9_000, "web/shop")
    assert (record.pools, record.prompts) == (("f",), (prompt_digest("a cat"),))
    assert (record.pinned, record.uses, record.master, record.derived) == (False, 0, "", ())
    assert abs(record.used_ms - await world.catalogue.now_ms()) < 60_000
    assert await world.catalogue.total() == StoreSize(1, 3)
    ((about, apps),) = await world.catalogue.pool_infos(("f",))
    assert about.arguments == {"prompt": "a cat"}
    assert list(apps) == ["web/shop"]
    assert await world.catalogue.pools_for(prompt_digest("a cat")) == ["f"]
    assert await world.catalogue.pictures_of_prompt(prompt_digest("a cat")) == [kept.name]


async def test_filed_again_it_is_one_picture_of_two_pools(world: Any) -> None:
    await world.file("one", "f", value=5)
    kept = await world.file("one", "g", value=9, prompt="a dog")
    await world.file("one", "g", value=7)

    record = await world.record(kept)
    assert (record.pools, record.value) == (("f", "g"), 9)
    assert await world.catalogue.total() == StoreSize(1, 3)


async def test_a_picture_for_no_pool_is_filed_under_its_prompt_alone(world: Any) -> None:
    kept = await world.file("one", "")

    assert (await world.record(kept)).pools == ()
    assert await world.catalogue.pictures_of_prompt(prompt_digest("a cat")) == [kept.name]
    assert await world.catalogue.pools(number=9) == []


async def test_a_prompt_stays_as_one_app_let_it_be_kept(world: Any) -> None:
    await world.file("one", arguments={"prompt": "a cat"})
    await world.file("two", app="web/blog")

    ((about, apps),) = await world.catalogue.pool_infos(("f",))
    assert about.arguments == {"prompt": "a cat"}
    assert set(apps) == {"web/shop", "web/blog"}


async def test_a_master_knows_what_was_made_of_it(world: Any) -> None:
    master = await world.file("one")
    derived = await world.file("two", "g", master=master.name, value=0)

    assert (await world.record(master)).derived == (derived.name,)
    assert (await world.record(derived)).master == master.name


async def test_what_was_made_here_goes_first_then_what_is_worth_least(world: Any) -> None:
    dear = await world.file("dear", value=200_000)
    cheap = await world.file("cheap", value=9_000)
    large = await world.file("large", value=9_000, size_bytes=1_000)
    used = await world.file("used", value=9_000)
    made = await world.file("made", value=0, master=dear.name)
    await world.catalogue.use(
        {(used.name, "t/a"): 3, (cheap.name, "t/a"): 1, ("nothing.png", "t/a"): 5}
    )

    order = [each.name for each in (made, large, cheap, used, dear)]
    assert await world.catalogue.cheapest(0, 9) == order
    assert await world.catalogue.cheapest(1, 2) == order[1:3]
    assert (await world.record(used)).uses == 3


async def test_a_use_counts_twice_one_of_a_week_before(world: Any, redis: Redis) -> None:
    kept = await world.file("one")
    await world.catalogue.use({(kept.name, "t/a"): 7})

    heat = float(await redis.hget(picture_keys.picture(kept.name), "heat") or 0)
    week_ms = 7 * 86_400_000
    # The logarithm of eight uses of now, of which each week doubles the weight.
    assert heat == pytest.approx(3 + await world.catalogue.now_ms() / week_ms, abs=0.01)


async def test_what_is_marked_cannot_be_filed_until_it_is_gone(world: Any) -> None:
    kept = await world.file("one")
    catalogue: Catalogue = world.catalogue
    assert await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)

    assert not await catalogue.register(world.filing(kept))
    assert not await catalogue.mark(kept.name, forced=True)
    assert await catalogue.confirm(kept.name)
    record = await world.record(kept)
    assert await catalogue.unregister(record)
    assert not await catalogue.unregister(record)
    assert await catalogue.total() == StoreSize(0, 0)
    assert await catalogue.pictures_of_prompt(prompt_digest("a cat")) == []
    assert await catalogue.register(world.filing(kept))


async def test_who_died_while_removing_stops_nobody_for_long(world: Any, redis: Redis) -> None:
    kept = await world.file("one")
    assert await world.catalogue.mark(kept.name, forced=True)
    await redis.hincrby(picture_keys.picture(kept.name), "marked_ms", -61_000)

    assert await world.catalogue.register(world.filing(kept))
    assert not await world.catalogue.confirm(kept.name)
    assert not await world.catalogue.unregister(await world.record(kept))


async def test_what_is_used_brought_or_pinned_is_not_marked(world: Any) -> None:
    kept = await world.file("one")
    catalogue: Catalogue = world.catalogue
    now_ms = await catalogue.now_ms()

    assert not await catalogue.mark(kept.name, unused_ms=now_ms - 60_000, noted_ms=10**14)
    assert not await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=now_ms - 60_000)
    assert await catalogue.pin(kept.name, pinned=True)
    assert not await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)
    assert (await world.record(kept)).pinned
    assert await catalogue.pin(kept.name, pinned=False)
    assert await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)
    assert not await catalogue.mark("nothing.png", forced=True)
    assert not await catalogue.pin("nothing.png", pinned=True)


async def test_what_is_handed_out_while_it_is_marked_stays(world: Any) -> None:
    kept = await world.file("one")
    assert await world.catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)

    await asyncio.sleep(0.002)
    await world.catalogue.use({(kept.name, "t/a"): 1})

    assert not await world.catalogue.confirm(kept.name)
    assert not await world.catalogue.unregister(await world.record(kept))
    assert await world.catalogue.register(world.filing(kept))


async def test_pools_are_listed_by_their_last_purchase(world: Any, redis: Redis) -> None:
    for pool, app in (("a", "x/x"), ("b", "y/y"), ("c", "x/x"), ("d", "x/x")):
        await world.file(pool, pool, app=app)
    times = {"a": 5, "b": 7, "c": 7, "d": 9}
    await redis.zadd(picture_keys.POOLS, times)
    catalogue: Catalogue = world.catalogue

    assert await catalogue.pools(number=9) == [("d", 9), ("c", 7), ("b", 7), ("a", 5)]
    assert await catalogue.pools(number=2) == [("d", 9), ("c", 7)]
    assert await catalogue.pools(number=2, before_ms=7, after="c") == [("b", 7), ("a", 5)]
    assert await catalogue.pools(number=9, before_ms=6) == [("a", 5)]
    assert [name for name, _ in await catalogue.pools(app="y/y", number=9)] == ["b"]


async def test_a_dropped_pool_is_known_no_more(world: Any, redis: Redis) -> None:
    await world.file("one", arguments={"prompt": "a cat"})

    await world.catalogue.drop_pool("f")
    await world.catalogue.drop_pool("g")

    assert await world.catalogue.pool_infos(("f",)) == [(None, {})]
    assert await world.catalogue.pools(number=9) == []
    assert await world.catalogue.pools(app="web/shop", number=9) == []
    assert await world.catalogue.pools_for(prompt_digest("a cat")) == []
    assert await found(redis, "a cat") == []


async def test_everything_is_found_page_by_page(world: Any) -> None:
    names = {(await world.file(str(number), str(number))).name for number in range(450)}

    found = {name async for page in world.catalogue.names() for name in page}
    pools = {name async for page in world.catalogue.pool_pages() for name in page}

    assert found == names
    assert pools == {str(number) for number in range(450)}
    assert set(await world.catalogue.sample(3)) <= names


async def test_one_at_a_time_looks_after_the_pictures(world: Any) -> None:
    assert await world.catalogue.take_round(60_000)
    assert not await world.catalogue.take_round(60_000)


async def test_without_redis_it_is_unavailable(nobody: Redis, world: Any) -> None:
    kept, _ = world.kept("one")
    catalogue = Catalogue(nobody)

    for asked in (
        lambda: catalogue.register(world.filing(kept)),
        lambda: catalogue.use({("x.png", "t/a"): 1}),
        lambda: catalogue.mark("x.png"),
        lambda: catalogue.confirm("x.png"),
        catalogue.total,
        lambda: catalogue.pools(number=1),
        lambda: catalogue.records(("x.png",)),
    ):
        with pytest.raises(Unavailable):
            await asked()

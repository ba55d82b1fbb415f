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
from falgate.redis import keyspace


async def test_a_picture_is_filed_with_its_pool_before_it_is_stored(shelf: Any) -> None:
    kept = await shelf.file("one", arguments={"prompt": "a cat"})

    record = await shelf.record(kept)
    assert (record.size_bytes, record.value, record.app) == (3, 9_000, "web/shop")
    assert (record.pools, record.prompts) == (("f",), (prompt_digest("a cat"),))
    assert (record.pinned, record.uses, record.master, record.derived) == (False, 0, "", ())
    assert abs(record.used_ms - await shelf.catalogue.now_ms()) < 60_000
    assert await shelf.catalogue.total() == StoreSize(1, 3)
    ((about, apps),) = await shelf.catalogue.pool_infos(("f",))
    assert about.arguments == {"prompt": "a cat"}
    assert list(apps) == ["web/shop"]
    assert await shelf.catalogue.pools_for(prompt_digest("a cat")) == ["f"]
    assert await shelf.catalogue.pictures_of_prompt(prompt_digest("a cat")) == [kept.name]


async def test_filed_again_it_is_one_picture_of_two_pools(shelf: Any) -> None:
    await shelf.file("one", "f", value=5)
    kept = await shelf.file("one", "g", value=9, prompt="a dog")
    await shelf.file("one", "g", value=7)

    record = await shelf.record(kept)
    assert (record.pools, record.value) == (("f", "g"), 9)
    assert await shelf.catalogue.total() == StoreSize(1, 3)


async def test_a_picture_for_no_pool_is_filed_under_its_prompt_alone(shelf: Any) -> None:
    kept = await shelf.file("one", "")

    assert (await shelf.record(kept)).pools == ()
    assert await shelf.catalogue.pictures_of_prompt(prompt_digest("a cat")) == [kept.name]
    assert await shelf.catalogue.pools(number=9) == []


async def test_a_prompt_stays_as_one_app_let_it_be_kept(shelf: Any) -> None:
    await shelf.file("one", arguments={"prompt": "a cat"})
    await shelf.file("two", app="web/blog")

    ((about, apps),) = await shelf.catalogue.pool_infos(("f",))
    assert about.arguments == {"prompt": "a cat"}
    assert set(apps) == {"web/shop", "web/blog"}


async def test_a_master_knows_what_was_made_of_it(shelf: Any) -> None:
    master = await shelf.file("one")
    derived = await shelf.file("two", "g", master=master.name, value=0)

    assert (await shelf.record(master)).derived == (derived.name,)
    assert (await shelf.record(derived)).master == master.name


async def test_what_was_made_here_goes_first_then_what_is_worth_least(shelf: Any) -> None:
    dear = await shelf.file("dear", value=200_000)
    cheap = await shelf.file("cheap", value=9_000)
    large = await shelf.file("large", value=9_000, size_bytes=1_000)
    used = await shelf.file("used", value=9_000)
    made = await shelf.file("made", value=0, master=dear.name)
    await shelf.catalogue.use({used.name: 3, cheap.name: 1, "nothing.png": 5})

    order = [each.name for each in (made, large, cheap, used, dear)]
    assert await shelf.catalogue.cheapest(0, 9) == order
    assert await shelf.catalogue.cheapest(1, 2) == order[1:3]
    assert (await shelf.record(used)).uses == 3


async def test_a_use_counts_twice_one_of_a_week_before(shelf: Any, redis: Redis) -> None:
    kept = await shelf.file("one")
    await shelf.catalogue.use({kept.name: 7})

    heat = float(await redis.hget(keyspace.picture(kept.name), "heat") or 0)
    week_ms = 7 * 86_400_000
    # The logarithm of eight uses of now, of which each week doubles the weight.
    assert heat == pytest.approx(3 + await shelf.catalogue.now_ms() / week_ms, abs=0.01)


async def test_what_is_marked_cannot_be_filed_until_it_is_gone(shelf: Any) -> None:
    kept = await shelf.file("one")
    catalogue: Catalogue = shelf.catalogue
    assert await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)

    assert not await catalogue.register(shelf.filing(kept))
    assert not await catalogue.mark(kept.name, forced=True)
    assert await catalogue.confirm(kept.name)
    record = await shelf.record(kept)
    assert await catalogue.unregister(record)
    assert not await catalogue.unregister(record)
    assert await catalogue.total() == StoreSize(0, 0)
    assert await catalogue.pictures_of_prompt(prompt_digest("a cat")) == []
    assert await catalogue.register(shelf.filing(kept))


async def test_who_died_while_removing_stops_nobody_for_long(shelf: Any, redis: Redis) -> None:
    kept = await shelf.file("one")
    assert await shelf.catalogue.mark(kept.name, forced=True)
    await redis.hincrby(keyspace.picture(kept.name), "marked_ms", -61_000)

    assert await shelf.catalogue.register(shelf.filing(kept))
    assert not await shelf.catalogue.confirm(kept.name)
    assert not await shelf.catalogue.unregister(await shelf.record(kept))


async def test_what_is_used_brought_or_pinned_is_not_marked(shelf: Any) -> None:
    kept = await shelf.file("one")
    catalogue: Catalogue = shelf.catalogue
    now_ms = await catalogue.now_ms()

    assert not await catalogue.mark(kept.name, unused_ms=now_ms - 60_000, noted_ms=10**14)
    assert not await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=now_ms - 60_000)
    assert await catalogue.pin(kept.name, pinned=True)
    assert not await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)
    assert (await shelf.record(kept)).pinned
    assert await catalogue.pin(kept.name, pinned=False)
    assert await catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)
    assert not await catalogue.mark("nothing.png", forced=True)
    assert not await catalogue.pin("nothing.png", pinned=True)


async def test_what_is_handed_out_while_it_is_marked_stays(shelf: Any) -> None:
    kept = await shelf.file("one")
    assert await shelf.catalogue.mark(kept.name, unused_ms=10**14, noted_ms=10**14)

    await asyncio.sleep(0.002)
    await shelf.catalogue.use({kept.name: 1})

    assert not await shelf.catalogue.confirm(kept.name)
    assert not await shelf.catalogue.unregister(await shelf.record(kept))
    assert await shelf.catalogue.register(shelf.filing(kept))


async def test_pools_are_listed_by_their_last_purchase(shelf: Any, redis: Redis) -> None:
    for pool, app in (("a", "x/x"), ("b", "y/y"), ("c", "x/x"), ("d", "x/x")):
        await shelf.file(pool, pool, app=app)
    times = {"a": 5, "b": 7, "c": 7, "d": 9}
    await redis.zadd(keyspace.POOLS, times)
    catalogue: Catalogue = shelf.catalogue

    assert await catalogue.pools(number=9) == [("d", 9), ("c", 7), ("b", 7), ("a", 5)]
    assert await catalogue.pools(number=2) == [("d", 9), ("c", 7)]
    assert await catalogue.pools(number=2, before_ms=7, after="c") == [("b", 7), ("a", 5)]
    assert await catalogue.pools(number=9, before_ms=6) == [("a", 5)]
    assert [name for name, _ in await catalogue.pools(app="y/y", number=9)] == ["b"]


async def test_a_dropped_pool_is_known_no_more(shelf: Any, redis: Redis) -> None:
    await shelf.file("one", arguments={"prompt": "a cat"})

    await shelf.catalogue.drop_pool("f")
    await shelf.catalogue.drop_pool("g")

    assert await shelf.catalogue.pool_infos(("f",)) == [(None, {})]
    assert await shelf.catalogue.pools(number=9) == []
    assert await shelf.catalogue.pools(app="web/shop", number=9) == []
    assert await shelf.catalogue.pools_for(prompt_digest("a cat")) == []
    assert await found(redis, "a cat") == []


async def test_everything_is_found_page_by_page(shelf: Any) -> None:
    names = {(await shelf.file(str(number), str(number))).name for number in range(450)}

    found = {name async for page in shelf.catalogue.names() for name in page}
    pools = {name async for page in shelf.catalogue.pool_pages() for name in page}

    assert found == names
    assert pools == {str(number) for number in range(450)}
    assert set(await shelf.catalogue.sample(3)) <= names


async def test_one_at_a_time_looks_after_the_pictures(shelf: Any) -> None:
    assert await shelf.catalogue.take_round(60_000)
    assert not await shelf.catalogue.take_round(60_000)


async def test_without_redis_it_is_unavailable(nobody: Redis, shelf: Any) -> None:
    kept, _ = shelf.kept("one")
    catalogue = Catalogue(nobody)

    for asked in (
        lambda: catalogue.register(shelf.filing(kept)),
        lambda: catalogue.use({"x.png": 1}),
        lambda: catalogue.mark("x.png"),
        lambda: catalogue.confirm("x.png"),
        catalogue.total,
        lambda: catalogue.pools(number=1),
        lambda: catalogue.records(("x.png",)),
    ):
        with pytest.raises(Unavailable):
            await asked()

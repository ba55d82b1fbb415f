"""Maintenance: what no pool has is collected, what is damaged leaves, and nothing else does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.cache.fingerprint import prompt_digest
from falgate.core.errors import StoreUnavailable
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.maintenance import GRACE_MS
from falgate.redis import picture_keys

Names = Callable[..., set[str]]


async def look(world: Any, **more: Any) -> None:
    """Look until every picture was looked at once."""
    keeper = world.maintenance(**more)
    for _ in range(3):
        await keeper.look()


async def test_what_no_pool_has_and_nobody_used_for_long_is_collected(
    world: Any, names_of: Names
) -> None:
    stray, kept = await world.put("stray"), await world.put("kept")
    await world.age(stray, kept)
    await world.pools.remove("f", {stray.sha256})

    await look(world)

    assert world.files() == names_of(kept)
    assert await world.record(stray) is None
    assert await world.catalogue.total() == StoreSize(1, kept.size_bytes)


async def test_what_was_handed_out_lately_stays(world: Any, names_of: Names) -> None:
    stray = await world.put("stray")
    await world.age(stray, days=6.9)
    await world.pools.remove("f", {stray.sha256})

    await look(world)

    assert world.files() == names_of(stray)
    await world.age(stray, days=0.2)
    await look(world)
    assert world.files() == set()


async def test_what_is_on_its_way_into_a_pool_stays(world: Any, names_of: Names) -> None:
    coming = await world.put("coming", "")

    await look(world, min_days=0)

    assert world.files() == names_of(coming)
    await world.age(coming, days=1.01 * GRACE_MS / 86_400_000)
    await look(world, min_days=0)
    assert world.files() == set()


async def test_what_is_pinned_stays_though_no_pool_has_it(world: Any, names_of: Names) -> None:
    pinned = await world.put("pinned", "")
    await world.catalogue.pin(pinned.name, pinned=True)
    await world.age(pinned)

    await look(world)

    assert world.files() == names_of(pinned)


async def test_a_picture_whose_time_is_over_goes_with_its_pool(world: Any, redis: Redis) -> None:
    over = await world.put("over", until_s=1)
    await world.age(over)

    await look(world)

    assert world.files() == set()
    assert await redis.exists(picture_keys.pool("f"), picture_keys.about("f")) == 0


async def test_pools_of_another_version_are_collected_and_never_before_they_are_old(
    world: Any, names_of: Names
) -> None:
    old, new = await world.put("old", "old", version="1.1"), await world.put("new", "new")
    pinned = await world.put("pinned", "old", version="1.1")
    await world.catalogue.pin(pinned.name, pinned=True)

    await look(world)
    assert world.files() == names_of(old, new, pinned)
    assert (await world.pools.read("old")).pictures == (old, pinned)

    await world.age(old, new, pinned)
    await look(world)

    assert world.files() == names_of(new, pinned)
    assert (await world.pools.read("old")).pictures == ()
    assert [name for name, _ in await world.catalogue.pools(number=9)] == ["new"]


async def test_what_is_known_of_a_pool_that_is_gone_is_forgotten(world: Any, redis: Redis) -> None:
    gone, there = await world.put("gone", "gone"), await world.put("there", "there")
    await world.age(gone, there)
    await redis.delete(picture_keys.pool("gone"))

    await look(world)

    assert await world.catalogue.pools_for(prompt_digest("a cat")) == ["there"]
    assert await redis.exists(picture_keys.about("gone")) == 0


async def test_the_same_bytes_bought_while_they_are_removed_are_there_afterwards(
    world: Any, monkeypatch: pytest.MonkeyPatch, names_of: Names
) -> None:
    """The purchase waits for the removal, and stores them anew; whatever comes first."""
    stray = await world.put("same")
    await world.age(stray)
    await world.pools.remove("f", {stray.sha256})
    removing, may_remove = asyncio.Event(), asyncio.Event()
    remove = world.bank.remove

    async def slow(name: str) -> None:
        removing.set()
        await may_remove.wait()
        await remove(name)

    monkeypatch.setattr(world.bank, "remove", slow)
    collecting = asyncio.create_task(look(world))
    await removing.wait()
    kept, data = world.kept("same")
    assert not await world.catalogue.register(world.filing(kept, "g"))
    may_remove.set()
    await collecting

    assert await world.catalogue.register(world.filing(kept, "g"))
    await world.bank.keep(data, kept)
    await look(world)
    assert world.files() == names_of(kept)


async def test_who_read_the_pool_just_before_keeps_the_picture(
    world: Any, monkeypatch: pytest.MonkeyPatch, names_of: Names
) -> None:
    stray = await world.put("stray", until_s=1)
    await world.age(stray)
    unpool = world.deleter.unpool

    async def handed_out_meanwhile(record: Any) -> int:
        await asyncio.sleep(0.002)
        await world.catalogue.use({(record.name, "t/a"): 1})
        taken: int = await unpool(record)
        return taken

    monkeypatch.setattr(world.deleter, "unpool", handed_out_meanwhile)
    await look(world)

    assert world.files() == names_of(stray)
    assert await world.record(stray) is not None


@pytest.mark.parametrize(
    ("damage", "told"), [("lost", "lost_picture"), ("changed", "damaged_picture")]
)
async def test_a_lost_or_damaged_picture_leaves_every_pool(
    damage: str, told: str, world: Any
) -> None:
    bad = await world.put("bad")
    await world.put("bad", "g")
    good = await world.put("good")
    await world.age(bad, good, days=1)
    file = world.folder / "pictures" / bad.name
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(b"BAD")

    await look(world)

    assert world.facts.told == [told]
    assert [pool.pictures for pool in await world.pools.read_all(("f", "g"))] == [(good,), ()]
    assert world.files() == {good.name}
    assert await world.record(bad) is None


async def test_what_was_just_filed_is_not_taken_for_lost(world: Any) -> None:
    await world.file("coming")

    await look(world)

    assert world.facts.told == []


async def test_a_store_that_cannot_be_asked_loses_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await world.put("one")
    await world.age(picture, days=1)

    async def away(_: str) -> bool:
        raise StoreUnavailable

    monkeypatch.setattr(world.bank, "whole", away)
    with pytest.raises(StoreUnavailable):
        await world.maintenance().look()

    assert (await world.pools.read("f")).pictures == (picture,)

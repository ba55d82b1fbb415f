"""Housekeeping: what no pool has is collected, what is damaged leaves, and nothing else does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.cache.fingerprint import prompt_digest
from falgate.core.errors import StoreUnavailable
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.maintenance import GRACE_MS
from falgate.redis import keyspace

Names = Callable[..., set[str]]


async def look(shelf: Any, **more: Any) -> None:
    """Look until every picture was looked at once."""
    keeper = shelf.maintenance(**more)
    for _ in range(3):
        await keeper.look()


async def test_what_no_pool_has_and_nobody_used_for_long_is_collected(
    shelf: Any, names_of: Names
) -> None:
    stray, kept = await shelf.put("stray"), await shelf.put("kept")
    await shelf.age(stray, kept)
    await shelf.pools.remove("f", {stray.sha256})

    await look(shelf)

    assert shelf.files() == names_of(kept)
    assert await shelf.record(stray) is None
    assert await shelf.catalogue.total() == StoreSize(1, kept.size_bytes)


async def test_what_was_handed_out_lately_stays(shelf: Any, names_of: Names) -> None:
    stray = await shelf.put("stray")
    await shelf.age(stray, days=6.9)
    await shelf.pools.remove("f", {stray.sha256})

    await look(shelf)

    assert shelf.files() == names_of(stray)
    await shelf.age(stray, days=0.2)
    await look(shelf)
    assert shelf.files() == set()


async def test_what_is_on_its_way_into_a_pool_stays(shelf: Any, names_of: Names) -> None:
    coming = await shelf.put("coming", "")

    await look(shelf, min_days=0)

    assert shelf.files() == names_of(coming)
    await shelf.age(coming, days=1.01 * GRACE_MS / 86_400_000)
    await look(shelf, min_days=0)
    assert shelf.files() == set()


async def test_what_is_pinned_stays_though_no_pool_has_it(shelf: Any, names_of: Names) -> None:
    pinned = await shelf.put("pinned", "")
    await shelf.catalogue.pin(pinned.name, pinned=True)
    await shelf.age(pinned)

    await look(shelf)

    assert shelf.files() == names_of(pinned)


async def test_a_picture_whose_time_is_over_goes_with_its_pool(shelf: Any, redis: Redis) -> None:
    over = await shelf.put("over", until_s=1)
    await shelf.age(over)

    await look(shelf)

    assert shelf.files() == set()
    assert await redis.exists(keyspace.pool("f"), keyspace.about("f")) == 0


async def test_pools_of_another_version_are_collected_and_never_before_they_are_old(
    shelf: Any, names_of: Names
) -> None:
    old, new = await shelf.put("old", "old", version="1.1"), await shelf.put("new", "new")
    pinned = await shelf.put("pinned", "old", version="1.1")
    await shelf.catalogue.pin(pinned.name, pinned=True)

    await look(shelf)
    assert shelf.files() == names_of(old, new, pinned)
    assert (await shelf.pools.read("old")).pictures == (old, pinned)

    await shelf.age(old, new, pinned)
    await look(shelf)

    assert shelf.files() == names_of(new, pinned)
    assert (await shelf.pools.read("old")).pictures == ()
    assert [name for name, _ in await shelf.catalogue.pools(number=9)] == ["new"]


async def test_what_is_known_of_a_pool_that_is_gone_is_forgotten(shelf: Any, redis: Redis) -> None:
    gone, there = await shelf.put("gone", "gone"), await shelf.put("there", "there")
    await shelf.age(gone, there)
    await redis.delete(keyspace.pool("gone"))

    await look(shelf)

    assert await shelf.catalogue.pools_for(prompt_digest("a cat")) == ["there"]
    assert await redis.exists(keyspace.about("gone")) == 0


async def test_the_same_bytes_bought_while_they_are_removed_are_there_afterwards(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, names_of: Names
) -> None:
    """The purchase waits for the removal, and stores them anew; whatever comes first."""
    stray = await shelf.put("same")
    await shelf.age(stray)
    await shelf.pools.remove("f", {stray.sha256})
    removing, may_remove = asyncio.Event(), asyncio.Event()
    remove = shelf.bank.remove

    async def slow(name: str) -> None:
        removing.set()
        await may_remove.wait()
        await remove(name)

    monkeypatch.setattr(shelf.bank, "remove", slow)
    collecting = asyncio.create_task(look(shelf))
    await removing.wait()
    kept, data = shelf.kept("same")
    assert not await shelf.catalogue.register(shelf.filing(kept, "g"))
    may_remove.set()
    await collecting

    assert await shelf.catalogue.register(shelf.filing(kept, "g"))
    await shelf.bank.keep(data, kept)
    await look(shelf)
    assert shelf.files() == names_of(kept)


async def test_who_read_the_pool_just_before_keeps_the_picture(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, names_of: Names
) -> None:
    stray = await shelf.put("stray", until_s=1)
    await shelf.age(stray)
    unpool = shelf.remover.unpool

    async def handed_out_meanwhile(record: Any) -> int:
        await asyncio.sleep(0.002)
        await shelf.catalogue.use({record.name: 1})
        taken: int = await unpool(record)
        return taken

    monkeypatch.setattr(shelf.remover, "unpool", handed_out_meanwhile)
    await look(shelf)

    assert shelf.files() == names_of(stray)
    assert await shelf.record(stray) is not None


@pytest.mark.parametrize(
    ("damage", "told"), [("lost", "lost_picture"), ("changed", "damaged_picture")]
)
async def test_a_lost_or_damaged_picture_leaves_every_pool(
    damage: str, told: str, shelf: Any
) -> None:
    bad = await shelf.put("bad")
    await shelf.put("bad", "g")
    good = await shelf.put("good")
    await shelf.age(bad, good, days=1)
    file = shelf.folder / "pictures" / bad.name
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(b"BAD")

    await look(shelf)

    assert shelf.facts.told == [told]
    assert [pool.pictures for pool in await shelf.pools.read_all(("f", "g"))] == [(good,), ()]
    assert shelf.files() == {good.name}
    assert await shelf.record(bad) is None


async def test_what_was_just_filed_is_not_taken_for_lost(shelf: Any) -> None:
    await shelf.file("coming")

    await look(shelf)

    assert shelf.facts.told == []


async def test_a_store_that_cannot_be_asked_loses_nothing(
    shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await shelf.put("one")
    await shelf.age(picture, days=1)

    async def away(_: str) -> bool:
        raise StoreUnavailable

    monkeypatch.setattr(shelf.bank, "whole", away)
    with pytest.raises(StoreUnavailable):
        await shelf.maintenance().look()

    assert (await shelf.pools.read("f")).pictures == (picture,)

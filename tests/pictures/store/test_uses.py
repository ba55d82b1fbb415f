"""Uses: told in batches, kept where they cannot be told, and a longer life where that slides."""

from typing import Any

import pytest

from falgate.core.errors import Unavailable
from falgate.pictures.access import AccessCounter

TTL_S = 1_000


async def test_what_was_handed_out_is_counted_once(world: Any) -> None:
    one, two = await world.put("one"), await world.put("two")
    uses = AccessCounter(world.catalogue, world.pools)
    for _ in range(3):
        uses.add("f", (one,), "web/shop")
    uses.add("f", (one, two), "web/shop")

    await uses.flush()
    await uses.flush()

    assert [(await world.record(each)).uses for each in (one, two)] == [4, 1]
    assert (await world.pools.read("f")).pictures == (one, two)


async def test_many_are_told_in_several_batches(world: Any) -> None:
    pictures = [await world.put(str(number)) for number in range(3)]
    more = [await world.put("often")] * 450
    uses = AccessCounter(world.catalogue, world.pools)
    uses.add("f", (*pictures, *more), "web/shop")

    await uses.flush()

    assert (await world.record(more[0])).uses == 450
    assert [(await world.record(each)).uses for each in pictures] == [1, 1, 1]


async def test_a_life_that_slides_begins_anew_with_each_use(world: Any) -> None:
    used, unused = await world.put("used", until_s=10**10), await world.put("unused")
    uses = AccessCounter(world.catalogue, world.pools, sliding_s=TTL_S)
    uses.add("f", (used,), "web/shop")

    await uses.flush()

    now_s = await world.catalogue.now_ms() // 1000
    first, second = (await world.pools.read("f")).pictures
    assert abs(first.until_s - now_s - TTL_S) <= 1
    assert second == unused


async def test_a_pinned_picture_slides_nowhere(world: Any) -> None:
    pinned = await world.put("pinned", until_s=0)
    uses = AccessCounter(world.catalogue, world.pools, sliding_s=TTL_S)
    uses.add("f", (pinned,), "web/shop")

    await uses.flush()

    assert (await world.pools.read("f")).pictures == (pinned,)


async def test_what_cannot_be_told_now_is_told_later(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await world.put("one")
    uses = AccessCounter(world.catalogue, world.pools, sliding_s=TTL_S)
    uses.add("f", (one,), "web/shop")

    async def away(*_: Any) -> None:
        raise Unavailable("Redis is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.catalogue, "use", away)
        with pytest.raises(Unavailable):
            await uses.flush()
    await uses.flush()

    assert (await world.record(one)).uses == 1

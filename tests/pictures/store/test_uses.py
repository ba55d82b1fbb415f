"""Uses: told in batches, kept where they cannot be told, and a longer life where that slides."""

from typing import Any

import pytest

from falgate.core.errors import Unavailable
from falgate.pictures.access import AccessCounter

TTL_S = 1_000


async def test_what_was_handed_out_is_counted_once(shelf: Any) -> None:
    one, two = await shelf.put("one"), await shelf.put("two")
    uses = AccessCounter(shelf.catalogue, shelf.pools)
    for _ in range(3):
        uses.add("f", (one,))
    uses.add("f", (one, two))

    await uses.flush()
    await uses.flush()

    assert [(await shelf.record(each)).uses for each in (one, two)] == [4, 1]
    assert (await shelf.pools.read("f")).pictures == (one, two)


async def test_many_are_told_in_several_batches(shelf: Any) -> None:
    pictures = [await shelf.put(str(number)) for number in range(3)]
    more = [await shelf.put("often")] * 450
    uses = AccessCounter(shelf.catalogue, shelf.pools)
    uses.add("f", (*pictures, *more))

    await uses.flush()

    assert (await shelf.record(more[0])).uses == 450
    assert [(await shelf.record(each)).uses for each in pictures] == [1, 1, 1]


async def test_a_life_that_slides_begins_anew_with_each_use(shelf: Any) -> None:
    used, unused = await shelf.put("used", until_s=10**10), await shelf.put("unused")
    uses = AccessCounter(shelf.catalogue, shelf.pools, sliding_s=TTL_S)
    uses.add("f", (used,))

    await uses.flush()

    now_s = await shelf.catalogue.now_ms() // 1000
    first, second = (await shelf.pools.read("f")).pictures
    assert abs(first.until_s - now_s - TTL_S) <= 1
    assert second == unused


async def test_a_pinned_picture_slides_nowhere(shelf: Any) -> None:
    pinned = await shelf.put("pinned", until_s=0)
    uses = AccessCounter(shelf.catalogue, shelf.pools, sliding_s=TTL_S)
    uses.add("f", (pinned,))

    await uses.flush()

    assert (await shelf.pools.read("f")).pictures == (pinned,)


async def test_what_cannot_be_told_now_is_told_later(
    shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await shelf.put("one")
    uses = AccessCounter(shelf.catalogue, shelf.pools, sliding_s=TTL_S)
    uses.add("f", (one,))

    async def away(*_: Any) -> None:
        raise Unavailable("Redis is away")

    with monkeypatch.context() as patch:
        patch.setattr(shelf.catalogue, "use", away)
        with pytest.raises(Unavailable):
            await uses.flush()
    await uses.flush()

    assert (await shelf.record(one)).uses == 1

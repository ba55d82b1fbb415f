"""Room: what is worth least goes when the store is nearly full, and what was promised stays."""

from collections.abc import Callable
from typing import Any

import pytest

from falgate.core.errors import StoreFull
from falgate.pictures.convert import Converter
from falgate.pictures.intake import PictureIntake

Names = Callable[..., set[str]]
KIB = 1024


async def pictures(shelf: Any, number: int = 10, **more: Any) -> list[Any]:
    """So many of 10 KiB, each worth less than the next."""
    return [
        await shelf.put(f"{index}", value=1_000 * (index + 1), size_bytes=10 * KIB, **more)
        for index in range(number)
    ]


async def make(shelf: Any, bytes_max: int, **more: Any) -> None:
    await shelf.maintenance(bytes_max=bytes_max, **more).look()


async def test_while_there_is_room_nothing_goes(shelf: Any, names_of: Names) -> None:
    put = await pictures(shelf)
    await shelf.age(*put)

    await make(shelf, 107 * KIB)
    await make(shelf, 0)

    assert shelf.files() == names_of(*put)


async def test_what_is_worth_least_goes_until_there_is_room(shelf: Any, names_of: Names) -> None:
    put = await pictures(shelf)
    await shelf.age(*put)

    await make(shelf, 100 * KIB)

    assert shelf.files() == names_of(*put[1:])
    assert (await shelf.pools.read("f")).pictures == tuple(put[1:])
    await make(shelf, 60 * KIB)
    assert shelf.files() == names_of(*put[5:])


async def test_what_was_made_here_goes_before_all_that_was_bought(
    shelf: Any, names_of: Names
) -> None:
    put = await pictures(shelf, 8)
    made = await shelf.put("made", "g", value=0, size_bytes=10 * KIB, master=put[7].name)
    await shelf.age(*put, made)

    await make(shelf, 90 * KIB)

    assert shelf.files() == names_of(*put)


async def test_what_is_used_more_stays_longer(shelf: Any, names_of: Names) -> None:
    put = await pictures(shelf)
    await shelf.catalogue.use({put[0].name: 100})
    await shelf.age(*put)

    await make(shelf, 100 * KIB)

    assert shelf.files() == names_of(put[0], *put[2:])


async def test_pins_and_what_was_handed_out_lately_stay_and_buying_stops(
    shelf: Any, names_of: Names
) -> None:
    put = await pictures(shelf)
    await shelf.age(*put[:9])
    for pinned in put[:8]:
        await shelf.catalogue.pin(pinned.name, pinned=True)

    await make(shelf, 50 * KIB)

    assert shelf.files() == names_of(*put[:8], put[9])
    assert shelf.facts.told == ["store_full"]
    full = PictureIntake(shelf.store, Converter(95), shelf.room(50 * KIB).full)
    with pytest.raises(StoreFull, match="too new to be removed"):
        await full.ready()
    await PictureIntake(shelf.store, Converter(95), shelf.room(91 * KIB).full).ready()
    await PictureIntake(shelf.store, Converter(95), shelf.room(0).full).ready()


async def test_a_disk_that_is_nearly_full_is_no_room_either(shelf: Any, names_of: Names) -> None:
    put = await pictures(shelf)
    await shelf.age(*put)
    shelf.free_bytes_left = 300 * KIB * KIB
    await make(shelf, 0)
    assert shelf.files() == names_of(*put)

    shelf.free_bytes_left = 100 * KIB * KIB
    await make(shelf, 0)

    assert shelf.files() == set()


async def test_many_that_have_to_stay_do_not_hide_one_that_may_go(
    shelf: Any, names_of: Names
) -> None:
    for number in range(250):
        await shelf.file(f"young {number}", value=1)
    old = await shelf.put("old", value=10**9)
    await shelf.age(old)

    await make(shelf, 10)

    assert shelf.files() == names_of()
    assert await shelf.record(old) is None

"""Eviction: what is worth least goes when the store is nearly full, and what was promised stays."""

from collections.abc import Callable
from typing import Any

import pytest

from falgate.core.errors import StoreFull
from falgate.pictures.convert import Converter
from falgate.pictures.intake import PictureIntake

Names = Callable[..., set[str]]
KIB = 1024


async def pictures(world: Any, number: int = 10, **more: Any) -> list[Any]:
    """So many of 10 KiB, each worth less than the next."""
    return [
        await world.put(f"{index}", value=1_000 * (index + 1), size_bytes=10 * KIB, **more)
        for index in range(number)
    ]


async def make(world: Any, bytes_max: int, **more: Any) -> None:
    await world.maintenance(bytes_max=bytes_max, **more).look()


async def test_while_there_is_room_nothing_goes(world: Any, names_of: Names) -> None:
    put = await pictures(world)
    await world.age(*put)

    await make(world, 107 * KIB)
    await make(world, 0)

    assert world.files() == names_of(*put)


async def test_what_is_worth_least_goes_until_there_is_room(world: Any, names_of: Names) -> None:
    put = await pictures(world)
    await world.age(*put)

    await make(world, 100 * KIB)

    assert world.files() == names_of(*put[1:])
    assert (await world.pools.read("f")).pictures == tuple(put[1:])
    await make(world, 60 * KIB)
    assert world.files() == names_of(*put[5:])


async def test_what_was_made_here_goes_before_all_that_was_bought(
    world: Any, names_of: Names
) -> None:
    put = await pictures(world, 8)
    made = await world.put("made", "g", value=0, size_bytes=10 * KIB, master=put[7].name)
    await world.age(*put, made)

    await make(world, 90 * KIB)

    assert world.files() == names_of(*put)


async def test_what_is_used_more_stays_longer(world: Any, names_of: Names) -> None:
    put = await pictures(world)
    await world.catalogue.use({(put[0].name, "t/a"): 100})
    await world.age(*put)

    await make(world, 100 * KIB)

    assert world.files() == names_of(put[0], *put[2:])


async def test_pins_and_what_was_handed_out_lately_stay_and_buying_stops(
    world: Any, names_of: Names
) -> None:
    put = await pictures(world)
    await world.age(*put[:9])
    for pinned in put[:8]:
        await world.catalogue.pin(pinned.name, pinned=True)

    await make(world, 50 * KIB)

    assert world.files() == names_of(*put[:8], put[9])
    assert world.facts.told == ["store_full"]
    full = PictureIntake(world.store, Converter(95), world.evictor(50 * KIB).full)
    with pytest.raises(StoreFull, match="too new to be removed"):
        await full.ready()
    await PictureIntake(world.store, Converter(95), world.evictor(91 * KIB).full).ready()
    await PictureIntake(world.store, Converter(95), world.evictor(0).full).ready()


async def test_a_disk_that_is_nearly_full_is_no_room_either(world: Any, names_of: Names) -> None:
    put = await pictures(world)
    await world.age(*put)
    world.free_bytes_left = 300 * KIB * KIB
    await make(world, 0)
    assert world.files() == names_of(*put)

    world.free_bytes_left = 100 * KIB * KIB
    await make(world, 0)

    assert world.files() == set()


async def test_many_that_have_to_stay_do_not_hide_one_that_may_go(
    world: Any, names_of: Names
) -> None:
    for number in range(250):
        await world.file(f"young {number}", value=1)
    old = await world.put("old", value=10**9)
    await world.age(old)

    await make(world, 10)

    assert world.files() == names_of()
    assert await world.record(old) is None

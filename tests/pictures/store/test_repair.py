"""Repair: a lost picture that is asked for leaves its pools; strangers' names cost little."""

from typing import Any

import pytest

from falgate.core.errors import Unavailable
from falgate.pictures.repair import RepairingSource


@pytest.fixture
def source(world: Any, monkeypatch: pytest.MonkeyPatch) -> RepairingSource:
    monkeypatch.setattr("falgate.pictures.repair.EVERY_S", 0)
    return RepairingSource(world.store, world.catalogue, world.deleter, world.facts)


async def test_a_lost_picture_leaves_every_pool_when_it_is_asked_for(
    world: Any, source: RepairingSource
) -> None:
    lost, there = await world.put("lost"), await world.put("there")
    await world.put("lost", "g")
    (world.folder / "pictures" / lost.name).unlink()

    assert await source.size(lost.name) is None
    assert await source.size(there.name) == there.size_bytes

    pools = await world.pools.read_all(("f", "g"))
    assert [pool.pictures for pool in pools] == [(there,), ()]
    assert world.facts.told == ["lost_picture"]
    assert await source.size(lost.name) is None
    assert world.facts.told == ["lost_picture"], "once, though it is asked for again"


async def test_what_was_never_stored_is_no_loss(world: Any, source: RepairingSource) -> None:
    assert await source.size(f"{'0' * 64}.png") is None
    assert world.facts.told == []


async def test_names_that_strangers_think_up_are_not_all_looked_for(
    world: Any, source: RepairingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.pictures.repair.EVERY_S", 3_600)
    looked = []
    records = world.catalogue.records

    async def counted(names: Any) -> Any:
        looked.extend(names)
        return await records(names)

    monkeypatch.setattr(world.catalogue, "records", counted)
    for number in range(20):
        assert await source.size(f"{number:064}.png") is None

    assert looked == [f"{0:064}.png"]


async def test_a_picture_is_not_found_although_redis_is_away(
    world: Any, source: RepairingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(world.catalogue, "records", away)

    assert await source.size(f"{'0' * 64}.png") is None

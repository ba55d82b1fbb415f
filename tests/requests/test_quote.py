"""Quotes: what is there, what it would cost, and which budgets have no room; nothing is written."""
# ruff: noqa: D102 - the ports say what their methods do

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.cache.policy import EffectivePolicy
from falgate.cache.request import PictureRequest
from falgate.core.account import Account, chain
from falgate.core.calendar import Window
from falgate.core.picture import Picture, Pool
from falgate.models.endpoints import MODELS
from falgate.money.budget import Budget, Position
from falgate.money.stop import Stop, Stopped, subject
from falgate.requests.quote import Quote, Quotes

SPEC = MODELS["fal-ai/gpt-image-1.5"]
DAY = Window("day", "1970-01-01", 0, 86_400_000)
PICTURES = tuple(
    Picture(sha256=name * 64, content_type="image/png", size_bytes=9, width=8, height=8, made_s=0)
    for name in "ab"
)


class World:
    """Pools, pictures and budgets, to be looked at only."""

    def __init__(self, pool: Pool, budgets: dict[str, Budget]) -> None:
        self.pool = pool
        self.budgets = budgets
        self.stops: dict[Account, Stop] = {}

    async def read(self, _: str) -> Pool:
        return self.pool

    async def first(self, subjects: Sequence[Account]) -> Stopped | None:
        found = next((each for each in subjects if each in self.stops), None)
        return Stopped(found, self.stops[found]) if found else None

    async def positions(self, _: str, charged: Account) -> list[Position]:
        return [
            Position(
                account=charged,
                window=DAY,
                budget=self.budgets.get(charged.name),
                raised=0,
                spent=20_000,
                held=5_000,
            )
        ]


async def quote(world: Any, number: int) -> Quote:
    asked = PictureRequest(
        spec=SPEC,
        arguments=SPEC.input(prompt="a cat", quality="low", num_images=number),
        upstream="fal",
        fingerprint="f",
        treatment=EffectivePolicy(scope="organisation"),
    )
    return await Quotes(world, world, world, world).quote(
        asked, chain("web", "shop", "k", SPEC.endpoint)
    )


async def test_what_is_missing_is_priced() -> None:
    found = await quote(World(Pool(), {}), 3)

    assert (found.asked, found.cached, found.listed) == (3, 0, 27_000)
    assert found.listed < found.estimate < found.ceiling
    assert (found.refusing, found.shadows, found.tightest) == ((), (), None)


async def test_what_is_there_is_free_and_what_is_missing_is_not() -> None:
    hit = await quote(World(Pool(1, PICTURES), {}), 2)
    fewer = await quote(World(Pool(1, PICTURES), {}), 1)
    partial = await quote(World(Pool(1, PICTURES[1:]), {}), 2)

    assert (hit.cached, hit.listed, hit.estimate, hit.ceiling) == (2, 0, 0, 0)
    assert (fewer.asked, fewer.cached, fewer.ceiling) == (1, 1, 0)
    assert (partial.cached, partial.listed) == (1, 9_000)


async def test_budgets_without_room_are_named_and_shadows_apart() -> None:
    roomy, full = Budget(limit=10_000_000), Budget(limit=30_000)
    budgets = {
        "organisation:main": roomy,
        "team:web": full,
        "app:web/shop": replace(full, shadow=True),
        f"model:{SPEC.endpoint}": replace(full, limit=29_000),
    }

    found = await quote(World(Pool(), budgets), 1)

    assert [position.account.name for position in found.refusing] == [
        *("team:web", f"model:{SPEC.endpoint}")
    ]
    assert [position.account.name for position in found.shadows] == ["app:web/shop"]
    assert found.tightest is not None
    assert (found.tightest.account.level, found.tightest.remaining) == ("model", 4_000)


async def test_a_hit_is_refused_by_no_budget() -> None:
    found = await quote(World(Pool(1, PICTURES), {"team:web": Budget(limit=0)}), 1)

    assert found.refusing == ()


@pytest.mark.parametrize(
    "name", ["organisation:main", "team:web", "app:web/shop", f"model:{SPEC.endpoint}"]
)
async def test_what_has_to_be_bought_is_stopped_and_what_is_there_is_not(name: str) -> None:
    stop = Stop(who="me", stopped_s=1, why="a leak")
    missing, partial, there = (World(Pool(1, PICTURES[:number]), {}) for number in (0, 1, 2))
    for world in (missing, partial, there):
        world.stops[subject(name)] = stop

    assert (await quote(missing, 1)).stopped == Stopped(subject(name), stop)
    assert (await quote(partial, 2)).stopped == Stopped(subject(name), stop)
    assert (await quote(there, 2)).stopped is None


async def test_the_stops_of_others_stop_nothing() -> None:
    world = World(Pool(), {})
    for name in ("team:we", "app:web/sho", "model:another"):
        world.stops[subject(name)] = Stop(who="me", stopped_s=1)

    assert (await quote(world, 1)).stopped is None

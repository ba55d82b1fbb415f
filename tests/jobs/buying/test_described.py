"""A described model: seeds, pictures that are not kept, and what a result says beside its files."""

import json
from typing import Any

import pytest
from easel import easel
from msgspec.structs import replace

from falgate.fal.replies import Delivered
from falgate.models.arguments import read

EASEL = easel()


@pytest.fixture(autouse=True)
def _of_easels(world: Any) -> None:
    world.ports.models[EASEL.endpoint] = EASEL
    world.pictures.sides = (1024, 768)
    world.steps.limit = 10**6


async def ask(world: Any, wanted: int = 1, **fields: Any) -> Any:
    """Ask for pictures of the easel."""
    body = json.dumps({"prompt": "a fox", "num_images": wanted, **fields}).encode()
    arguments = read(EASEL, body, "application/json").arguments
    call = world.call()
    treatment = call.treatment.of_request(EASEL, arguments)
    pool = treatment.pool_of(EASEL, arguments, call.upstream)
    asked = replace(call, spec=EASEL, arguments=arguments, treatment=treatment, fingerprint=pool)
    return await world.processes[0].answers.answer(asked)


def result(*names: str, flagged: str = "", **said: Any) -> Delivered:
    """A result of fal's with these pictures."""
    files = [{"url": f"https://pictures/{name}", "width": 1024, "height": 768} for name in names]
    flags = [name in flagged for name in names]
    scores = [0.5 + place for place in range(len(names))]
    beside = {"has_nsfw_concepts": flags, "scores": scores, "seed": 7, **said}
    return Delivered({"images": files, **beside}, str(len(names)))


def sources(world: Any) -> list[str]:
    """How its requests were served."""
    return [did.split()[1] for did in world.steps.did if did.startswith("answered")]


async def test_with_a_seed_the_rest_of_a_set_is_not_bought(world: Any) -> None:
    await ask(world, 1, seed=7)
    await ask(world, 3, seed=7)
    await ask(world, 3, seed=7)

    assert sources(world) == ["miss", "miss", "hit"]
    assert [job.order.number for job in world.jobs.jobs.values()] == [1, 3]


async def test_a_set_with_a_seed_that_has_lost_a_picture_is_bought_anew(world: Any) -> None:
    world.shop.results = [result("a", "b", flagged="b"), result("c", "d"), result("x", "y")]
    await ask(world, 2, seed=7)
    again = await ask(world, 2, seed=7)
    await ask(world, 2, seed=7)

    assert sources(world) == ["miss", "bypass", "hit"]
    (pool,) = world.pools.pools.values()
    assert pool.pictures == again.pictures


async def test_without_a_seed_the_rest_is_bought(world: Any) -> None:
    world.shop.results = [result("a", seed=1), result("b", seed=2)]
    await ask(world, 1)
    answer = await ask(world, 2)

    assert sources(world) == ["miss", "partial"]
    assert [picture.scalars for picture in answer.pictures] == [b'{"seed":1}', b'{"seed":2}']


async def test_a_flagged_picture_is_handed_out_and_not_kept(world: Any) -> None:
    world.shop.results = [result("a", "b", "c", flagged="b")]
    bought = await ask(world, 3)
    hit = await ask(world, 2)

    assert len(bought.pictures) == 3
    assert hit.pictures == (bought.pictures[0], bought.pictures[2])
    assert bought.pictures[1].parallels == b'{"has_nsfw_concepts":true,"scores":1.5}'
    assert sources(world) == ["miss", "hit"]


async def test_what_depends_on_the_day_is_bought_each_time(world: Any) -> None:
    for _ in range(2):
        await ask(world, note="today")

    assert sources(world) == ["bypass", "bypass"]
    assert world.pools.pools == {}


async def test_what_is_said_of_a_lost_or_malformed_file_is_nobodys(world: Any) -> None:
    sold = result("a", "b", "c")
    sold.output["images"][1] = {"no": "url"}
    world.shop.results = [sold]
    answer = await ask(world, 2)

    assert [json.loads(picture.parallels)["scores"] for picture in answer.pictures] == [0.5, 2.5]

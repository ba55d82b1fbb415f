"""Input pictures that cannot be sent: nothing is bought, and the hold is given back."""

from typing import Any


async def test_inputs_that_cannot_be_sent_release_the_hold_before_the_mark(world: Any) -> None:
    world.inputs.unsent = "An input picture could not be uploaded to fal"

    assert await world.outcome() == "503 Unavailable"

    assert (world.jobs.held, world.jobs.spent, world.shop.posts) == (0, 0, [])
    assert not any(did.startswith("mark") for did in world.steps.did)


async def test_once_they_can_be_sent_the_same_request_is_bought(world: Any) -> None:
    world.inputs.unsent = "An input picture is not stored any more"
    await world.outcome()
    world.inputs.unsent = ""

    assert await world.outcome() == "miss 1"
    assert len(world.shop.posts) == 1

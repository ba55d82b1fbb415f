"""What an earlier version wrote into the slot of money is found under its new name."""

from typing import Any

from redis.asyncio import Redis

from falgate.pictures.store.former import rename_former


async def test_a_catalogue_of_an_earlier_version_is_renamed_and_nothing_else(
    world: Any, redis: Redis
) -> None:
    one, two = await world.put("one"), await world.put("two", "g", prompt="a dog")
    records = [await world.record(each) for each in (one, two)]
    total = await world.catalogue.total()
    await redis.hset("{fg}:meta", "id", "x")
    for key in [each async for each in redis.scan_iter("{fgp}:poolsfor:*")]:
        await redis.delete(key)  # that version had none
    for key in [each async for each in redis.scan_iter("{fgp}:*")]:
        await redis.rename(key, key.replace("{fgp}", "{fg}", 1))
    assert await world.catalogue.records((one.name,)) == [None]

    await rename_former(redis)
    await rename_former(redis)

    assert [await world.record(each) for each in (one, two)] == records
    assert await world.catalogue.total() == total
    assert [key async for key in redis.scan_iter("{fg}:*")] == ["{fg}:meta"]
    assert await world.catalogue.pools_for(records[1].prompts[0]) == ["g"]


async def test_what_was_renamed_by_another_instance_meanwhile_is_left(
    world: Any, redis: Redis
) -> None:
    picture = await world.put("one")
    await redis.copy("{fgp}:pictures", "{fg}:pictures")  # the other has not come to it
    await rename_former(redis)

    assert await world.record(picture) is not None

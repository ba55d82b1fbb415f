"""Renames the catalogue's keys that an earlier version wrote into the slot of money."""

from redis.asyncio import Redis

from falgate.redis import keyspace, picture_keys
from falgate.redis.bounded import attempt

_FAMILIES = (
    picture_keys.picture("*"),
    picture_keys.about("*"),
    picture_keys.pools_of("*"),
    picture_keys.pictures_of_prompt("*"),
    picture_keys.prompt("*"),
)
_SINGLE = (picture_keys.MEDIA, picture_keys.POOLS, picture_keys.PICTURES)
_SLOT, _FORMER_SLOT = (key.partition(":")[0] for key in (picture_keys.PICTURES, keyspace.META))


async def rename_former(redis: Redis) -> None:
    """Rename what an earlier version wrote; may be repeated, and run on several instances at once.

    The list of pictures comes last: as long as it has its former name, there may be more to rename.

    Raises:
        Unavailable: Without Redis.
    """
    if not await redis.exists(_former(picture_keys.PICTURES)):
        return
    for family in _FAMILIES:
        async for key in redis.scan_iter(_former(family), count=1000):
            await _rename(redis, key)
    for name in _SINGLE:
        await _rename(redis, _former(name))


async def _rename(redis: Redis, key: str) -> None:
    # It is refused if another instance has renamed the key.
    await attempt(redis, "RENAMENX", key, _SLOT + key.removeprefix(_FORMER_SLOT))


def _former(key: str) -> str:
    return _FORMER_SLOT + key.removeprefix(_SLOT)

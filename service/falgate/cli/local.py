"""What a command knows without a gateway: the settings, their Redis, the ledger's calendar."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from redis.asyncio import Redis

from falgate import settings
from falgate.first_start import open_redis
from falgate.money.store.ledger import Ledger
from falgate.settings import Settings

T = TypeVar("T")

OF_PICTURES = ("media_url", "derived_quality", "cache_ttl_s")
"""What opens the picture store, and how pictures are kept there."""

_OF_REDIS = ("data_dir", "redis_url", "redis_timeout_s", "timezone", "week_starts")
_CALENDAR = ("FALGATE_TIMEZONE", "FALGATE_WEEK_STARTS")


def settings_here(*used: str) -> Settings:
    """The settings in this shell that a command uses; all others keep their defaults, unchecked.

    Raises:
        SettingsWrong: One of them is wrong, or a name is that of no setting.
    """
    others = set(Settings.__struct_fields__) - set(used)
    unused = {"FAL_KEY", *(f"{settings.PREFIX}{field.upper()}" for field in others)}
    env = settings.environment(os.environ)
    heard = {name: value for name, value in env.items() if name not in unused}
    return settings.read(heard, {"upstream_url": settings.SANDBOX})


def _chosen(used: Iterable[str]) -> Settings:
    """The settings of the gateway whose Redis a command opens.

    Raises:
        SettingsWrong: They are wrong, or no gateway was ever started with them.
    """
    found = settings_here(*_OF_REDIS, *used)
    data = Path(found.data_dir).absolute()
    if not found.redis_url and not (data / "redis").is_dir():
        raise settings.SettingsWrong(
            f"there are no keys in {data}: give FALGATE_DATA_DIR or FALGATE_REDIS_URL as the "
            "gateway has it and start that once, or name a gateway by FALGATE_URL"
        )
    return found


@asynccontextmanager
async def opened(*used: str) -> AsyncIterator[tuple[Settings, Redis]]:
    """The gateway's settings, with the ledger's own calendar, and its Redis.

    Args:
        used: Fields of the settings that are used besides those of Redis.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is none.
    """
    found = _chosen(used)
    async with open_redis(found) as redis:
        yield await _counting(found, redis), redis


def with_redis(use: Callable[[Settings, Redis], Awaitable[T]], *used: str) -> T:
    """Run `use` with the gateway's settings, among them those `used`, and its Redis.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is none.
    """

    async def run() -> T:
        async with opened(*used) as (found, redis):
            return await use(found, redis)

    return asyncio.run(run())


async def _counting(found: Settings, redis: Redis) -> Settings:
    """The settings, counting time as the ledger does: a shell seldom has all that the gateway has.

    Raises:
        SettingsWrong: The shell names another calendar.
    """
    counted = await Ledger(redis).calendar()
    if counted is None or counted == found.calendar.name:
        return found
    if any(settings.environment(os.environ).get(name) for name in _CALENDAR):
        raise settings.SettingsWrong(
            f"the ledger counts its windows by {counted}, and {' and '.join(_CALENDAR)} say "
            f"{found.calendar.name}: unset them, or set them as the gateway has them"
        )
    zone, _, first_day = counted.rpartition("/")
    return msgspec.convert(
        msgspec.structs.asdict(found) | {"timezone": zone, "week_starts": first_day}, Settings
    )

"""What a command knows without a gateway: the settings, their Redis, the ledger's calendar."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
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

_OF_GATEWAYS = frozenset(
    {"FALGATE_UPSTREAM_URL", "FALGATE_FAL_KEY", "FAL_KEY", "FALGATE_TLS_LISTEN"}
)
"""Whom a gateway buys from and how it speaks https: not checked for who looks after it."""

_CALENDAR = ("FALGATE_TIMEZONE", "FALGATE_WEEK_STARTS")


def settings_here() -> Settings:
    """The settings in this shell, as far as they matter to commands.

    Raises:
        SettingsWrong: They are wrong.
    """
    env = {name: value for name, value in os.environ.items() if name not in _OF_GATEWAYS}
    return settings.read(env, {"upstream_url": settings.SANDBOX})


def _chosen() -> Settings:
    """The settings of the gateway whose Redis a command opens.

    Raises:
        SettingsWrong: They are wrong, or no gateway was ever started with them.
    """
    found = settings_here()
    data = Path(found.data_dir).absolute()
    if not found.redis_url and not (data / "redis").is_dir():
        raise settings.SettingsWrong(
            f"there are no keys in {data}: give FALGATE_DATA_DIR or FALGATE_REDIS_URL as the "
            "gateway has it and start that once, or name a gateway by FALGATE_URL"
        )
    return found


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Settings, Redis]]:
    """The gateway's settings, with the ledger's own calendar, and its Redis.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is none.
    """
    found = _chosen()
    async with open_redis(found) as redis:
        yield await _counting(found, redis), redis


def with_redis(use: Callable[[Settings, Redis], Awaitable[T]]) -> T:
    """Run `use` with the gateway's settings and its Redis.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is none.
    """

    async def used() -> T:
        async with opened() as (found, redis):
            return await use(found, redis)

    return asyncio.run(used())


async def _counting(found: Settings, redis: Redis) -> Settings:
    """The settings, counting time as the ledger does: a shell seldom has all that the gateway has.

    Raises:
        SettingsWrong: The shell names another calendar.
    """
    counted = await Ledger(redis).calendar()
    if counted is None or counted == found.calendar.name:
        return found
    if any(os.environ.get(name) for name in _CALENDAR):
        raise settings.SettingsWrong(
            f"the ledger counts its windows by {counted}, and {' and '.join(_CALENDAR)} say "
            f"{found.calendar.name}: unset them, or set them as the gateway has them"
        )
    zone, _, first_day = counted.rpartition("/")
    return msgspec.convert(
        msgspec.structs.asdict(found) | {"timezone": zone, "week_starts": first_day}, Settings
    )

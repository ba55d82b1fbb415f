"""Replies of Redis as they come, for readers that need little of what they read."""

from typing import Any

from redis.asyncio import Redis
from redis.client import NEVER_DECODE


async def raw(redis: Redis, name: str, *arguments: str | int) -> Any:
    """Return the reply to a command, its texts as bytes: redis-py makes no objects of its own.

    Raises:
        Unavailable: Redis cannot be reached, or answers with an error.
    """
    # redis-py finds what it would make of a reply by the name of the command, if that is a str.
    command: Any = redis.execute_command
    return await command(name.encode(), *arguments, **{NEVER_DECODE: True})

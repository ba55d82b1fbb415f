"""Wake-ups between instances, by Redis pub/sub: which jobs and requests have changed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from falgate.core.errors import Unavailable
from falgate.redis import keyspace
from falgate.redis.line import Line, connect

_PAUSE_S = 0.5
_CONNECT_S = 2.0
_BEAT_S, _LATE_S = 5.0, 5.0


async def listen(
    redis: Redis,
    wake: Callable[[str], None],
    moved: Callable[[str], None],
    missed: Callable[[], None],
) -> None:
    """Call `wake` or `moved` with the id in each message, until cancelled.

    Args:
        redis: The client whose server is listened to, on a connection of its own.
        wake: Called for jobs that ended or are in trouble, and for requests that ended.
        moved: Called for jobs that got a slot, or whose progress fal reported.
        missed: Called whenever a connection was made: messages before that may be lost. Waiters
            also look by themselves.
    """
    called = {keyspace.WAKE.encode(): wake, keyspace.MOVED.encode(): moved}

    def pushed(message: Sequence[Any]) -> None:
        match message:
            case [b"message", channel, name]:
                called[channel](name.decode(errors="replace"))  # a stranger's is nobody's
            case [b"subscribe", _, number] if number == len(called):
                missed()

    while True:
        try:
            async with asyncio.timeout(_CONNECT_S):
                line = await connect(redis, pushed)
        except (RedisError, OSError, Unavailable):
            await asyncio.sleep(_PAUSE_S)
            continue
        try:
            line.send("SUBSCRIBE", *called)
            await _until_silent(line)
        finally:
            line.close()
        await asyncio.sleep(_PAUSE_S)


async def _until_silent(line: Line) -> None:
    """Wait until the connection has ended, or does not answer any more.

    Nobody else says anything on it for hours, so a break somewhere on the way goes unnoticed.
    """
    while not line.lost.done():
        await asyncio.wait([line.lost], timeout=_BEAT_S)
        beat = line.ask("PING")
        await asyncio.wait([beat], timeout=_LATE_S)
        if not beat.done() or beat.exception():
            return

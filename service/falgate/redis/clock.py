"""Redis's clock between two looks at it: every instance shows and signs by the same one."""

import time

from redis.asyncio import Redis

from falgate.redis.unavailable import translate_errors


async def now_ms(redis: Redis) -> int:
    """Redis's clock, milliseconds since 1970; raises `Unavailable`."""
    with translate_errors():
        seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


class Clock:
    """The last look, carried on by this machine's own monotonic clock.

    A step of the machine's wall clock, or an hour between two machines, changes nothing.
    """

    def __init__(self) -> None:
        """Says nothing before the first look."""
        self._ahead_ms = 0

    def note(self, now_ms: int) -> None:
        """Take note of what it says now."""
        self._ahead_ms = now_ms - round(1000 * time.monotonic())

    def now_ms(self) -> int:
        """Milliseconds since 1970, by Redis."""
        return self._ahead_ms + round(1000 * time.monotonic())

    def now_s(self) -> int:
        """Seconds since 1970, by Redis."""
        return self.now_ms() // 1000

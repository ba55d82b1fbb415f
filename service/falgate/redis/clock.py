"""Redis's clock, by which every instance decides, interpolated between reads."""

import time

from redis.asyncio import Redis

_RELIED_ON_S = 0.1


async def now_ms(redis: Redis) -> int:
    """Return Redis's time, in milliseconds since 1970; raises `Unavailable`."""
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


class Clock:
    """Redis's time at the last read, carried on by this machine's monotonic clock.

    A step of the machine's wall clock, or a difference between two machines' clocks, has no effect.
    """

    def __init__(self) -> None:
        """Start unset; the time is meaningless before the first `note`."""
        self._ahead_ms = 0

    def note(self, now_ms: int) -> None:
        """Set the clock to Redis's current time."""
        self._ahead_ms = now_ms - round(1000 * time.monotonic())

    def now_ms(self) -> int:
        """Return Redis's time, in milliseconds since 1970."""
        return self._ahead_ms + round(1000 * time.monotonic())

    def second(self) -> tuple[int, float]:
        """Return Redis's time in whole seconds, and for how long that may be relied on.

        Not to the end of the second, as the clock may be set again meanwhile.
        """
        now_s, past_ms = divmod(self.now_ms(), 1000)
        return now_s, min(_RELIED_ON_S, 1 - past_ms / 1000)

    def now_s(self) -> int:
        """Return Redis's time, in seconds since 1970."""
        return self.now_ms() // 1000

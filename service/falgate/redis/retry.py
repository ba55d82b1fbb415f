"""Work that outlives an outage of Redis: steps that are retried, and rounds that come again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

from falgate.core.errors import Unavailable

T = TypeVar("T")

_PAUSES_S = (0.05, 2.0)


async def retry_until_available(step: Callable[[], Awaitable[T]]) -> T:
    """Repeat an idempotent step until Redis accepts it, so that what is known is not lost."""
    pause_s, longest_s = _PAUSES_S
    while True:
        try:
            return await step()
        except Unavailable:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)


async def every(
    pause_s: float,
    look: Callable[[], Awaitable[object]],
    *forgiven: type[Exception],
) -> NoReturn:
    """Call `look` until cancelled, `pause_s` seconds after it has returned.

    A round that fails for want of Redis, or by one of `forgiven`, is not repeated: the next round
    finds what it left.
    """
    while True:
        with suppress(Unavailable, *forgiven):
            await look()
        await asyncio.sleep(pause_s)

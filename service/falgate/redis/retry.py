"""Retries of steps whose result must be stored, until Redis accepts them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

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

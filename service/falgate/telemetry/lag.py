"""Lag: how late the event loop is, which is what every caller waits beside all else."""

import asyncio

from falgate.telemetry.metrics import Histogram

_EVERY_S = 0.25


async def watch_lag(seen: Histogram) -> None:
    """Sleep again and again, and count by how much each sleep was too long."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        seen.observe(max(0.0, loop.time() - due_s))

"""Event loop lag: how late timers fire, a delay that every request suffers as well."""

import asyncio

from falgate.telemetry.counts import Histogram

_EVERY_S = 0.25


async def watch_lag(seen: Histogram) -> None:
    """Sleep repeatedly and record by how much each sleep was too long."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        seen.observe(max(0.0, loop.time() - due_s))

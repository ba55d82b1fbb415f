"""Where the money of one upstream stands, as every instance tells it."""

from datetime import UTC

from redis.asyncio import Redis

from falgate.core.calendar import Calendar
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.store.gauges import BudgetGauges


async def standing(redis: Redis, upstream: str) -> UpstreamStanding:
    """Read anew."""
    found, _ = await BudgetGauges(redis, Calendar(UTC), teams_max=1, models=()).read([upstream])
    return found[0]

"""What is booked in a ledger, for tests that look at all of it."""

from redis.asyncio import Redis

from falgate.money.store.entries import Entries


async def booked(redis: Redis, upstream: str) -> list[dict[str, str]]:
    """Every entry, the oldest first, each with its stream id as `entry`."""
    pages = Entries(redis).pages(upstream)
    return [{"entry": entry, **fields} async for page in pages for entry, fields in page]

"""Half a script in the sums of the roll-ups: they are those of the roll-ups again after a sweep."""

from datetime import UTC

import pytest
from adding_up import assert_added_up
from redis.asyncio import Redis
from servers import Server
from tearing import commands, replay

from falgate.core.calendar import Calendar
from falgate.money.store.archive import Archiving
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.redis import usage_keys

UPSTREAM = "https://queue.example"
CALENDAR = Calendar(UTC)


@pytest.fixture
def url(server: Server) -> str:
    """For every other fixture."""
    return server.url


@pytest.mark.parametrize("earlier", [False, True], ids=["answers", "a day without sums"])
async def test_sums_that_were_torn_anywhere_are_those_of_their_roll_ups_after_a_sweep(
    earlier: bool, server: Server, redis: Redis
) -> None:
    usage, sums = Usage(redis, CALENDAR), UsageSums(redis)
    today = (await usage.today()).isoformat()
    await usage.add(UPSTREAM, {"a/b/k|m|low|answered:answers": 3}, batch="0", before="")
    if earlier:
        await redis.hset(usage_keys.usage(UPSTREAM, today), "c/d:answers", "5")
        await redis.hset(usage_keys.breakdown(UPSTREAM, today), "c/d/k|m|low|paid:answers", "5")
    before = commands(server.log.read_bytes())
    more = {"a/b/k|m|low|answered:answers": 3, "c/d/k|m|low|answered:answers": 5}
    if earlier:
        await sums.add_up(UPSTREAM, today, again=True)
    else:
        await usage.add(UPSTREAM, more, batch="1", before="0")
    half = commands(server.log.read_bytes())[len(before) :]

    for at in range(1, len(half) - 1):
        await replay(redis, [*before, *half[1:at]])
        await usage.add(UPSTREAM, more, batch="1", before="0")
        await Archiving(redis, "owner").sweep(UPSTREAM)
        await assert_added_up(redis, UPSTREAM)


async def test_a_start_makes_up_for_sums_that_were_torn(server: Server, redis: Redis) -> None:
    usage, sums = Usage(redis, CALENDAR), UsageSums(redis)
    today = await usage.today()
    counted = {"a/b/k|m|low|answered:answers": 3}
    await usage.add(UPSTREAM, counted, batch="0", before="")
    before = commands(server.log.read_bytes())
    await usage.add(UPSTREAM, counted, batch="1", before="0")
    half = commands(server.log.read_bytes())[len(before) :]

    for at in range(1, len(half) - 1):
        await replay(redis, [*before, *half[1:at]])
        await usage.add(UPSTREAM, counted, batch="1", before="0")
        await sums.complete(UPSTREAM, today)
        await assert_added_up(redis, UPSTREAM)

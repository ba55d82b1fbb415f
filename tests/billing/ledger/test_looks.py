"""Looks at a server that began anew, while the instance goes on with what was under way."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from patience import TRIP_S
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from servers import Server

from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.ledger import Ledger
from falgate.money.store.trust import Trust
from falgate.redis.bounded import BoundedRedis
from falgate.redis.client import connect
from falgate.redis.clock import Clock

UPSTREAM = "https://queue.example"


@pytest.fixture
def url(server: Server) -> str:
    """For every other fixture."""
    return server.url


class Busy(BoundedRedis):
    """Lets something else happen once pipelines were answered, before that is seen.

    Attributes:
        meanwhile: What happens.
    """

    meanwhile: Callable[[], Awaitable[None]]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """One that takes its time."""
        made = super().pipeline(transaction, shard_hint)
        execute = made.execute

        async def later(raise_on_error: bool = True) -> list[Any]:
            found: list[Any] = await execute(raise_on_error)
            await self.meanwhile()
            return found

        made.execute = later  # type: ignore[method-assign]  # a wait in between, nothing else
        return made


async def test_what_is_written_during_a_look_is_not_taken_for_lost(  # noqa: PLR0917 - fixtures
    server: Server,
    redis: Redis,
    ledger_id: str,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
    jobs_of: Callable[..., Jobs],
) -> None:
    usual = connect(server.url, timeout_s=TRIP_S)
    busy = Busy(connection_pool=usual.connection_pool)
    trust = Trust(busy, ledger_id, weak=False, clock=Clock())
    jobs = jobs_of("one", wrote=trust.wrote)
    waiting = [await bring(order(name, f"f-{name}"), "accepted") for name in "abcdefghij"]

    async def settle() -> None:
        if waiting:
            await jobs.settle(waiting.pop(), Settlement(state="paid", charge=60))

    busy.meanwhile = settle
    await Ledger(redis).note_upstreams(UPSTREAM, [])
    await trust.look()
    server.kill()
    server.start()
    await trust.look()
    await busy.aclose()
    await usual.aclose()

    assert len(waiting) < 10
    assert (await Ledger(redis).standing()).frozen is None

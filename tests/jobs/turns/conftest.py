"""A line at a busy upstream, as those see it who ask, wait, are served and give up."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.fal.options import Priority
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.redis import keyspace

SLOTS = keyspace.slots("https://queue.example")
RELEASED = Settlement(state="released", charge=0)


class Line:
    """Those who wait at an upstream that takes few at once, one instance's view."""

    def __init__(self, redis: Redis, jobs: Jobs, order: Callable[..., Order]) -> None:
        self.redis = redis
        self.jobs = jobs
        self._order = order
        self._numbers = count()

    async def ask(
        self,
        team: str,
        terms: PurchaseLimits = PurchaseLimits(),  # noqa: B008 - frozen
        priority: Priority = "normal",
    ) -> Any:
        """Ask for one purchase; its id starts with its team's name, or what refused it."""
        # Ids run down, so that who sorted by them would serve the last one first.
        job_id = f"{team}-{999 - next(self._numbers)}"
        order = self._order(job_id, job_id, team=team, held=1, priority=priority)
        verdict = await self.jobs.hold(order, PoolVersion(), terms)
        return job_id if verdict == Held() else verdict

    async def crowd(self, team: str, number: int, **more: Any) -> list[str]:
        """Ask for so many, one after another."""
        return [await self.ask(team, **more) for _ in range(number)]

    async def read(self, job_id: str) -> Job:
        """A job that exists."""
        job = await self.jobs.read(job_id)
        assert job is not None
        return job

    async def release(self, job_id: str) -> None:
        """Give a purchase up."""
        await self.jobs.settle(await self.read(job_id), RELEASED)

    async def in_service(self) -> list[str]:
        """Who has a slot."""
        members: Any = await self.redis.zrange(SLOTS, 0, -1)
        return [member.partition(":")[0] for member in members]

    @staticmethod
    def teams(job_ids: list[str]) -> list[str]:
        """Whose they are."""
        return [job_id.partition("-")[0] for job_id in job_ids]

    async def serve(self, number: int) -> list[str]:
        """Be done with whoever is in service, so often; who came into service after each."""
        began: list[str] = []
        for _ in range(number):
            (done,) = await self.in_service()
            await self.release(done)
            began += await self.in_service()
        return began


@pytest.fixture
def line_of(redis: Redis, order: Callable[..., Order]) -> Callable[[Jobs], Line]:
    """The line as one instance sees it."""
    return lambda jobs: Line(redis, jobs, order)


@pytest.fixture
def line(line_of: Callable[[Jobs], Line], jobs_of: Callable[..., Jobs]) -> Line:
    """A line for one slot."""
    return line_of(jobs_of("one", slots_max=1))


@pytest.fixture
async def busy(line: Line) -> str:
    """Somebody who has the slot."""
    return str(await line.ask("busy"))

"""A change to a script, and whether a suite of short scenarios notices it."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from judging import change, noticed
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.cache.store import places, pools
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar, Kind
from falgate.jobs.job import Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store import hold, jobs, sweep
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.budget import Budget
from falgate.money.store import budgets
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.pictures.store import catalogue, gallery, thumbnails
from falgate.redis import keyspace
from falgate.redis.script import Script

UPSTREAM = "https://queue.example"


class World:
    """One server with its books open, and two instances at work."""

    def __init__(
        self, redis: Redis, budgets: Budgets, one: Jobs, two: Jobs, order: Callable[..., Order]
    ) -> None:
        self.redis = redis
        self.budgets = budgets
        self.redis = redis
        self.one, self.two = one, two
        self.order = order

    async def limit(
        self, kind: Kind, limit: int, charged: Account = ORGANISATION, **more: Any
    ) -> None:
        """Set a budget."""
        was = await self.budgets.read(UPSTREAM, charged, kind)
        now = Budget(limit=limit, **more)
        assert await self.budgets.put(UPSTREAM, charged, kind, was=was, now=now, who="w")

    async def hold(
        self,
        job_id: str,
        fingerprint: str,
        held: int = 100,
        terms: PurchaseLimits = PurchaseLimits(),  # noqa: B008 - frozen
        changes: dict[str, Any] | None = None,
        **seen: int,
    ) -> Any:
        """Ask for a hold."""
        order = self.order(job_id, fingerprint, held=held, **(changes or {}))
        return await self.one.hold(order, PoolVersion(**seen), terms)

    async def read(self, job_id: str) -> Job:
        """A job that exists."""
        job = await self.one.read(job_id)
        assert job is not None
        return job

    async def bring(self, job_id: str, fingerprint: str, state: State, charge: int = 60) -> Job:
        """A new job in a state."""
        assert await self.hold(job_id, fingerprint) == Held()
        if state != "reserved":
            await self.one.mark(await self.read(job_id))
        if state in {"accepted", "paid"}:
            assert await self.one.accept(await self.read(job_id), f"fal-{job_id}")
        if state == "paid":
            paid = Settlement(state="paid", charge=charge)
            await self.one.settle(await self.read(job_id), paid)
        return await self.read(job_id)

    async def lapse(self, job_id: str) -> None:
        """Let a lease run out."""
        await self.redis.zadd(keyspace.open_jobs(UPSTREAM), {job_id: 1}, xx=True)

    async def figures(self) -> tuple[int, int, int]:
        """Spent, held and the overage, the same in every window of every account."""
        figures = {
            (position.spent, position.held)
            for account in self.order().accounts
            for position in await self.budgets.positions(UPSTREAM, account)
        }
        assert len(figures) == 1, figures
        ((spent, held),) = figures
        return spent, held, (await self.budgets.overage(UPSTREAM))[1]

    async def members(self, key: str) -> list[str]:
        """Of a sorted set."""
        found: Any = await self.redis.zrange(key, 0, -1)
        return list(found)


@pytest.fixture
def world(
    redis: Redis,
    calendar: Calendar,
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
) -> Callable[[], Awaitable[World]]:
    """Opens new books on an empty server."""

    async def make() -> World:
        await redis.flushall()
        ledger = Ledger(redis)
        assert await ledger.trust((await ledger.standing()).history, "")
        made = {"ledger_id": await ledger.birth(None, calendar), "slots_max": 20}
        opened = Budgets(redis, calendar)
        new = World(redis, opened, jobs_of("one", **made), jobs_of("two", **made), order)
        await new.limit("day", 1_000)
        await new.limit("total", 1_000)
        await opened.open_overage(UPSTREAM, 100)
        return new

    return make


@pytest.fixture
def survives(
    redis: Redis,
    world: Callable[[], Awaitable[World]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Awaitable[bool]]:
    """Changes one text of one script and says whether every scenario still passes."""

    async def run(
        name: str, text: str, other: str, scenarios: Iterable[Callable[[Any], Awaitable[None]]]
    ) -> bool:
        change(tmp_path, name, text, other)
        for module in (hold, jobs, budgets, catalogue, gallery, thumbnails, places, pools, sweep):
            for constant, value in vars(module).items():
                if isinstance(value, Script):
                    changed = Script(value.name, tmp_path)
                    if changed.text != value.text:
                        monkeypatch.setattr(module, constant, changed)
                        # What does not even compile would prove nothing.
                        await redis.script_load(changed.text)
        try:
            for scenario in scenarios:
                await scenario(await world())
        except (Exception, pytest.fail.Exception) as failure:
            if not noticed(failure):
                raise
            return False
        finally:
            # A changed script may leave anything.
            await redis.flushall()
        return True

    return run

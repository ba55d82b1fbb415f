"""Without Redis nothing is bought: every step of the money says that it is unavailable."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Team
from falgate.accounts.limits import PurchaseLimits
from falgate.accounts.store.rates import Rates
from falgate.accounts.store.registry import Registry
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.sweep import sweep
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.instance import Instance
from falgate.money.store.ledger import Ledger
from falgate.redis.client import Durability, RedisUnfit, inspect

CALENDAR = Calendar(UTC)
UPSTREAM = "https://queue.example"
RECORD = KeyRecord(
    id="k", kind="live", digest="d", team="t", app="p", name="n", created_s=1, revoked_s=0
)


@pytest.fixture
def job(order: Callable[..., Order]) -> Job:
    return Job(
        order=order(),
        accounts=order().accounts,
        state="accepted",
        owner="one",
        epoch=1,
        windows=("day:2026-11-22", "total:all"),
        began_ms=1,
    )


async def endings(steps: dict[str, Awaitable[Any]]) -> dict[str, type]:
    """What became of each step, all taken at once."""
    ended = await asyncio.gather(*steps.values(), return_exceptions=True)
    return {name: type(value) for name, value in zip(steps, ended, strict=True)}


JobStep = Callable[[Jobs, Job], Awaitable[Any]]
JOB_STEPS: dict[str, JobStep] = {
    "hold": lambda jobs, job: jobs.hold(job.order, PoolVersion(), PurchaseLimits()),
    "mark": lambda jobs, job: jobs.mark(job),
    "accept": lambda jobs, job: jobs.accept(job, "fal-1"),
    "renew": lambda jobs, job: jobs.renew(job),
    "uncertain": lambda jobs, job: jobs.mark_uncertain(job, "lost"),
    "settle": lambda jobs, job: jobs.settle(job, Settlement(state="paid", charge=1)),
    "finish": lambda jobs, job: jobs.finish(job, (), None),
    "turn": lambda jobs, job: jobs.turn(job),
    "adopt": lambda jobs, job: jobs.adopt(job.order.id, UPSTREAM),
    "lapsed": lambda jobs, _: jobs.lapsed(UPSTREAM, 1),
    "read": lambda jobs, job: jobs.read(job.order.id),
    "now_ms": lambda jobs, _: jobs.now_ms(),
}


@pytest.mark.parametrize("durability", [Durability(), Durability(fsync=True, replicas=1)])
async def test_no_step_of_a_job_is_taken(durability: Durability, nobody: Redis, job: Job) -> None:
    jobs = Jobs(
        nobody,
        Instance(
            ledger_id="x",
            owner="one",
            calendar=CALENDAR,
            lease_ms=60_000,
            durability=durability,
        ),
    )

    said = await endings({name: step(jobs, job) for name, step in JOB_STEPS.items()})

    assert said == dict.fromkeys(JOB_STEPS, Unavailable)


LEDGER_STEPS: dict[str, Callable[[Ledger], Awaitable[Any]]] = {
    "birth": lambda ledger: ledger.birth(None, CALENDAR),
    "frozen": lambda ledger: ledger.frozen_ms(),
    "standing": lambda ledger: ledger.standing(),
    "trust": lambda ledger: ledger.trust("a", "b", why="lost"),
    "note_upstreams": lambda ledger: ledger.note_upstreams("a", ["b"]),
    "upstreams": lambda ledger: ledger.upstreams(),
    "live": lambda ledger: ledger.live(),
    "applied": lambda ledger: ledger.applied(UPSTREAM, "OVERAGE_USD"),
    "note_applied": lambda ledger: ledger.note_applied(UPSTREAM, "OVERAGE_USD", 1),
    "open_jobs": lambda ledger: ledger.open_jobs(UPSTREAM),
}


async def test_the_ledger_says_nothing(nobody: Redis) -> None:
    ledger = Ledger(nobody)

    said = await endings({name: step(ledger) for name, step in LEDGER_STEPS.items()})

    assert said == dict.fromkeys(LEDGER_STEPS, Unavailable)


BUDGET_STEPS: dict[str, Callable[[Budgets], Awaitable[Any]]] = {
    "read": lambda budgets: budgets.read(UPSTREAM, ORGANISATION, "day"),
    "put": lambda budgets: budgets.put(
        UPSTREAM, ORGANISATION, "day", was=None, now=Budget(limit=1), who="w"
    ),
    "raise": lambda budgets: budgets.raise_(UPSTREAM, ORGANISATION, "day", 1, change="c", who="w"),
    "reset": lambda budgets: budgets.reset(UPSTREAM, ORGANISATION, "day", change="c", who="w"),
    "positions": lambda budgets: budgets.positions(UPSTREAM, ORGANISATION),
    "accounts": lambda budgets: budgets.accounts(UPSTREAM),
    "overage": lambda budgets: budgets.overage(UPSTREAM),
    "open_overage": lambda budgets: budgets.open_overage(UPSTREAM, 1),
}


async def test_nobody_knows_where_the_money_stands(nobody: Redis) -> None:
    budgets = Budgets(nobody, CALENDAR)

    said = await endings({name: step(budgets) for name, step in BUDGET_STEPS.items()})

    assert said == dict.fromkeys(BUDGET_STEPS, Unavailable)


KEY_STEPS: dict[str, Callable[[Registry], Awaitable[Any]]] = {
    "key": lambda registry: registry.key("k"),
    "keys": lambda registry: registry.keys(),
    "put_key": lambda registry: registry.put_key(None, RECORD, "w"),
    "directory": lambda registry: registry.directory(),
    "put_team": lambda registry: registry.put_team("t", None, Team(), "w"),
}


async def test_nobody_can_be_told_from_anybody(nobody: Redis) -> None:
    registry = Registry(nobody)

    said = await endings({name: step(registry) for name, step in KEY_STEPS.items()})

    assert said == dict.fromkeys(KEY_STEPS, Unavailable)


async def test_a_rate_cannot_be_counted(nobody: Redis) -> None:
    with pytest.raises(Unavailable):
        await Rates(nobody).take({"team:t": 1})


async def test_nothing_is_swept(nobody: Redis) -> None:
    with pytest.raises(Unavailable):
        await sweep(nobody, UPSTREAM, 1)


async def test_its_inspection_says_that_it_does_not_answer(nobody: Redis) -> None:
    with pytest.raises(RedisUnfit, match="does not answer"):
        await inspect(nobody, replicas=0, allow_weak=True)

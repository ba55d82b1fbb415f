"""What is watched of the money: all of it, by as many commands as there is shown."""

import re
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from falgate.billing.closed_job import ReconcileReport
from falgate.billing.store.corrections import Corrections
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.money.budget import Budget
from falgate.money.stop import Stop
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.money.store.verifications import Verifications
from falgate.pictures.catalogue import StoreSize
from falgate.redis import keyspace, picture_keys
from falgate.redis.client import connect
from falgate.telemetry.store.gauges import BudgetGauges

BOTH = ("fal", "test")


async def test_what_is_read_is_what_the_parts_say(
    redis: Redis, budgets: Budgets, calendar: Calendar
) -> None:
    team, model = Account("team", "web"), Account("model", "a/b")
    for account in (ORGANISATION, team, Account("app", "web/shop"), model):
        await budgets.put("fal", account, "day", was=None, now=Budget(limit=9), who="me")
        await budgets.raise_("fal", account, "day", 3, change=account.name, who="me")
        await redis.hset(keyspace.account("fal", account), mapping={"waiting": 4})
    await budgets.set_overage("fal", 7, "me")
    await redis.zadd(keyspace.open_jobs("fal"), {"job": 1})
    await redis.hset(keyspace.META, "frozen_ms", "5")
    await redis.hset(picture_keys.MEDIA, mapping={"pictures": 2, "bytes": 30})
    for subject in (Account("team", "web"), Account("team", "ads"), Account("model", "a/b:c")):
        await Stops(redis).put(subject, None, Stop(who="me", stopped_s=1), "me")
    summary = ReconcileReport(at_ms=1, since_ms=0, until_ms=1, difference=-4)
    await Corrections(redis, owner="x").keep("fal", summary, whole=True)
    proof = await Verifications(redis, "x").keep("fal", 1)

    (fal, test), total = await BudgetGauges(redis, calendar, teams_max=9, models=["a/b"]).read(BOTH)

    assert [where.account for where in fal.accounts] == [ORGANISATION, team, model]
    for where in fal.accounts:
        assert list(where.positions) == await budgets.positions("fal", where.account)
        assert where.waiting == 4
    assert (fal.overage, fal.open_jobs, fal.frozen) == ((7, 0), 1, True)
    assert fal.stops == test.stops == {"organisation": 0, "team": 2, "app": 0, "model": 1}
    assert (fal.reconciled, fal.verified) == (summary, proof)
    assert [where.account for where in test.accounts] == [ORGANISATION, model]
    assert (test.overage, test.open_jobs, test.reconciled, test.verified) == ((0, 0), 0, None, None)
    assert total == StoreSize(2, 30)


async def test_so_many_teams_are_shown_and_one_that_bought_is_among_them(
    redis: Redis,
    budgets: Budgets,
    calendar: Calendar,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
) -> None:
    bought = order()
    budget = Budget(limit=1_000)
    await budgets.put(bought.upstream, ORGANISATION, "total", was=None, now=budget, who="me")
    await bring(bought, "paid")
    for name in ("b", "a"):
        account = Account("team", name)
        await budgets.put(bought.upstream, account, "day", was=None, now=Budget(limit=1), who="me")

    async def shown(teams_max: int) -> list[str]:
        standings = BudgetGauges(redis, calendar, teams_max=teams_max, models=())
        ((stand,), _) = await standings.read([bought.upstream])
        return [where.account.id for where in stand.accounts]

    assert await shown(2) == ["main", "a", "b"]
    assert await shown(3) == ["main", "a", "b", bought.team]


async def test_commands_grow_with_teams_and_not_with_keys(
    redis: Redis, budgets: Budgets, calendar: Calendar
) -> None:
    standings = BudgetGauges(redis, calendar, teams_max=50, models=())

    async def commands() -> int:
        await redis.config_resetstat()
        await standings.read(BOTH)
        stats = await redis.info("commandstats")
        connecting = re.compile(r"cmdstat_(config|client|select|hello|auth)\b")
        return sum(
            int(found["calls"]) for name, found in stats.items() if not connecting.match(name)
        )

    alone = await commands()
    await redis.sadd(keyspace.accounts("fal"), *(f"key:{number}" for number in range(5_000)))
    with_keys = await commands()
    for number in range(4):
        account = Account("team", f"t{number}")
        await budgets.put("fal", account, "day", was=None, now=Budget(limit=1), who="me")

    assert with_keys == alone <= 4 + len(BOTH) * (5 + 1) + 1
    assert await commands() == alone + 4


async def test_without_redis_nobody_knows(closed_port_url: str, calendar: Calendar) -> None:
    async with connect(closed_port_url) as nobody:
        with pytest.raises(Unavailable):
            await BudgetGauges(nobody, calendar, teams_max=1, models=()).read(BOTH)

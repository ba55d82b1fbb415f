"""What the scripts themselves refuse, called with raw arguments: bad amounts and windows."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from script_arguments import ALWAYS, CHARGED, UPSTREAM

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.calendar import Calendar, Window
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.redis import keyspace

Everything = Callable[[], Awaitable[dict[str, Any]]]
DAY_MS = 86_400_000

BAD = ["nan", "-1", "0x10", "1e3", " 5 ", "", "1.5", "+1", "inf", "9" * 16, "1\n"]
AMOUNTS = [
    *(("jobs_hold", name) for name in ("amount", "lease_ms", "generation", "count", "weight")),
    *(("jobs_hold", name) for name in ("waiting_max", "slots_max")),
    ("jobs_mark", "lease_ms"),
    ("jobs_accept", "lease_ms"),
    ("jobs_renew", "lease_ms"),
    ("jobs_adopt", "lease_ms"),
    ("jobs_uncertain", "lease_ms"),
    ("jobs_settle", "charge"),
    ("jobs_settle", "lease_ms"),
    ("jobs_settle", "slots_max"),
    ("jobs_uncertain", "slots_max"),
    ("turns_ask", "slots_max"),
    ("budgets_raise", "amount"),
    ("budgets_raise", "starts_ms"),
    ("budgets_raise", "ends_ms"),
    ("budgets_reset", "starts_ms"),
    ("budgets_reset", "ends_ms"),
    ("jobs_finish", "generation"),
    ("jobs_finish", "count"),
    ("jobs_finish", "marker_ms"),
    ("jobs_sweep", "before_ms"),
    ("pools_renew", "generation"),
    ("pools_remove", "emptied_s"),
    ("pools_keep", "until_s"),
    ("catalogue_register", "size"),
    ("catalogue_register", "value"),
    ("catalogue_mark", "unused_ms"),
    ("catalogue_mark", "noted_ms"),
]

Call = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize(("script", "name"), AMOUNTS)
async def test_a_script_takes_plain_digits_only(
    script: str, name: str, call: Call, everything: Everything
) -> None:
    before = await everything()

    for bad in BAD:
        with pytest.raises(Unavailable) as refused:
            await call(script, **{name: bad})
        assert "BADAMOUNT" in str(refused.value.__cause__)
        assert await everything() == before


async def test_a_hold_of_nothing_is_refused(call: Call, everything: Everything) -> None:
    before = await everything()

    with pytest.raises(Unavailable) as refused:
        await call("jobs_hold", amount=0)
    assert "BADAMOUNT" in str(refused.value.__cause__)
    assert await everything() == before


async def test_the_largest_amount_is_held_and_given_back_to_the_last_micro(
    call: Call, redis: Redis
) -> None:
    account = keyspace.account(UPSTREAM, CHARGED[0])
    await redis.hset(account, "budget:total", json.dumps({"limit": 10**15 - 1}))

    assert (await call("jobs_hold", amount=10**15 - 1))[0] == "held"
    assert await redis.hget(account, "held:total:all") == str(10**15 - 1)
    settled = await call("jobs_settle", **{"from": "reserved", "to": "released", "charge": 0})
    assert settled[:2] == ["settled", str(10**15 - 1)]
    assert await redis.hget(account, "held:total:all") is None


@pytest.mark.parametrize(("starts", "ends"), [(-2, -1), (1, 2), (-1, 0)])
async def test_outside_its_windows_a_hold_only_says_what_time_it_is(
    starts: int, ends: int, call: Call, jobs: Jobs, everything: Everything
) -> None:
    now_ms = await jobs.now_ms()
    day = {"kind": "day", "id": "x"}
    day_ms = {"starts_ms": now_ms + starts * DAY_MS, "ends_ms": now_ms + ends * DAY_MS}
    before = await everything()

    reply = await call("jobs_hold", windows=json.dumps([day | day_ms, ALWAYS]))

    assert reply[0] == "elsewhen"
    assert now_ms <= int(reply[1]) < now_ms + DAY_MS
    assert await everything() == before


async def test_without_windows_nothing_is_held(call: Call, everything: Everything) -> None:
    before = await everything()

    assert await call("jobs_hold", windows="[]") == ["unlimited"]
    assert await everything() == before


class Late:
    """A calendar of an instance that is told of every midnight once it is over."""

    def __init__(self, calendar: Calendar) -> None:
        self.name = calendar.name
        self._calendar = calendar
        self._asked = 0

    def windows(self, now_ms: int) -> tuple[Window, ...]:
        """Yesterday's, at first."""
        self._asked += 1
        return self._calendar.windows(now_ms if self._asked > 1 else now_ms - DAY_MS)


async def test_a_hold_across_midnight_is_charged_to_the_new_day(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    calendar: Calendar,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    late = jobs_of("one", calendar=Late(calendar))

    assert await late.hold(order(), PoolVersion(), PurchaseLimits()) == Held()
    assert await money() == (0, 100, 0)


async def test_a_job_is_settled_in_the_windows_in_which_it_began(call: Call, redis: Redis) -> None:
    account = keyspace.account(UPSTREAM, CHARGED[0])
    began = ALWAYS | {"kind": "day", "id": "2020-02-29"}
    await call("jobs_hold", windows=json.dumps([began]))

    await call("jobs_settle", **{"from": "reserved", "to": "paid", "charge": 60})

    figures: Any = await redis.hgetall(account)
    assert "held:day:2020-02-29" not in figures
    assert figures["spent:day:2020-02-29"] == "60"
    assert [name for name in figures if name.startswith("spent")] == ["spent:day:2020-02-29"]


@pytest.mark.parametrize(
    "change", [{"held": -1}, {"held": 10**15}, {"held": 0}], ids=["below", "huge", "nothing"]
)
async def test_an_order_with_a_bad_amount_reads_as_no_ledger(
    change: dict[str, int], jobs: Jobs, order: Callable[..., Order], everything: Everything
) -> None:
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.hold(order(**change), PoolVersion(), PurchaseLimits())
    assert await everything() == before


async def test_a_settlement_with_a_bad_amount_leaves_the_job_open(
    jobs: Jobs,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    everything: Everything,
) -> None:
    job = await bring(order(), "accepted")
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.settle(job, Settlement(state="paid", charge=-1))
    assert await everything() == before

"""A hold turned into spending, and the end of a job: once, by whoever has it, to the last micro."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from booked import booked
from redis.asyncio import Redis

from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.errors import Unavailable
from falgate.core.picture import Picture
from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Fenced, Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace, usage_keys
from falgate.redis.script import Script

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Money = Callable[[], Awaitable[tuple[int, int, int]]]
Limit = Callable[..., Awaitable[None]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
PICTURE = Picture(
    sha256="5" * 64, content_type="image/png", size_bytes=9, width=1, height=1, made_s=7
)


@pytest.fixture
def entries(redis: Redis) -> Callable[[], Awaitable[list[dict[str, str]]]]:
    """The whole ledger."""

    async def read() -> list[dict[str, str]]:
        return await booked(redis, UPSTREAM)

    return read


CHARGES = {
    "nothing": (0, (0, 0, 0)),
    "below": (60, (60, 0, 0)),
    "equal": (100, (100, 0, 0)),
    "one_above": (101, (100, 0, 1)),
    "far_above": (5_000, (100, 0, 4_900)),
}


@pytest.mark.parametrize("name", CHARGES)
async def test_a_charge_is_spent_up_to_the_hold_and_the_overage_bears_the_rest(
    name: str, jobs: Jobs, order: Orders, bring: Brings, money: Money
) -> None:
    charge, expected = CHARGES[name]

    job = await bring(order(), "paid", charge=charge)

    assert await money() == expected
    assert (job.state, job.charged, job.overrun) == ("paid", min(charge, 100), expected[2])
    assert job.remaining == 1_000 - job.charged
    assert job.output == {"images": []}
    assert await jobs.read("a") == job


async def test_what_remains_is_of_the_tightest_budget(
    order: Orders, bring: Brings, limit: Limit
) -> None:
    await limit(300, "total")
    await limit(250, "month", shadow=True)
    await limit(290, "hour", Account("key", "k"))
    await bring(order("a", "f"), "reserved")

    job = await bring(order("b", "g"), "paid", charge=60)

    assert job.remaining == 290 - 100 - 60


async def test_what_remains_is_never_below_nothing(
    jobs: Jobs, order: Orders, bring: Brings, limit: Limit
) -> None:
    job = await bring(order(), "accepted")
    await limit(5, "day")

    await jobs.settle(job, Settlement(state="paid", charge=60))

    read = await jobs.read("a")
    assert read is not None
    assert read.remaining == 0


async def test_without_limits_nothing_is_said_about_what_remains(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis, money: Money
) -> None:
    account = keyspace.account(UPSTREAM, ORGANISATION)
    job = await bring(order(), "accepted")
    await redis.hdel(account, "budget:day")
    await redis.hset(account, "budget:total", '{"limit":"plenty"}')

    await jobs.settle(job, Settlement(state="paid", charge=60))

    read = await jobs.read("a")
    assert read is not None
    assert read.remaining is None
    await redis.hdel(account, "budget:total")
    assert await money() == (60, 0, 0)


ENDS: list[tuple[State, Settlement]] = [
    ("reserved", Settlement(state="released", charge=0)),
    ("submitting", Settlement(state="released", charge=0)),
    (
        "submitting",
        Settlement(state="refused", charge=0, answer=FalAnswer(422, {"detail": []}, {})),
    ),
    ("submitting", Settlement(state="unknown", charge=100)),
    (
        "accepted",
        Settlement(state="refused", charge=100, answer=FalAnswer(422, {"detail": []}, {})),
    ),
    ("accepted", Settlement(state="unknown", charge=100)),
]


@pytest.mark.parametrize(("state", "settlement"), ENDS)
async def test_an_end_without_pictures_ends_the_flight_too(
    state: State, settlement: Settlement, jobs: Jobs, order: Orders, bring: Brings
) -> None:
    job = await bring(order(), state)

    await jobs.settle(job, settlement)

    read = await jobs.read("a")
    assert read is not None
    assert read.ended
    assert (read.state, read.answer) == (settlement.state, settlement.answer)
    assert (read.charged, read.order.input) == (settlement.charge, {})
    assert await jobs.renew(job) is False
    assert await bring(order("b", "f"), "reserved")


async def test_an_ended_job_holds_nothing_and_is_waiting_to_be_swept(
    jobs: Jobs, order: Orders, bring: Brings, money: Money, redis: Redis
) -> None:
    job = await bring(order(), "submitting")

    await jobs.settle(job, Settlement(state="released", charge=0))

    assert await money() == (0, 0, 0)
    assert await redis.zrange(keyspace.open_jobs(UPSTREAM), 0, -1) == []
    assert await redis.zrange(keyspace.ended_jobs(UPSTREAM), 0, -1) == ["a"]
    assert await redis.exists(keyspace.flight("f")) == 0


async def test_each_job_has_one_closing_entry_without_its_prompt(
    jobs: Jobs,
    order: Orders,
    bring: Brings,
    entries: Callable[[], Awaitable[list[dict[str, str]]]],
) -> None:
    job = await bring(order(), "paid", charge=130)
    await jobs.finish(job, (PICTURE,), PoolVersion(7, 1))

    (entry,) = await entries()

    assert entry.pop("entry")
    assert entry.pop("windows") == " ".join(job.windows)
    assert entry == {
        "kind": "close",
        "job": "a",
        "outcome": "paid",
        "held": "100",
        "billed": "100",
        "overrun": "30",
        "request_id": "fal-a",
        "team": "t",
        "app": "p",
        "key": "k",
        "model": "fal-ai/model",
        "charged_model": "fal-ai/model",
        "asked": "1",
        "reused": "0",
        "bought": "1",
        "list": "90",
        "saved": "0",
        "why": "",
        "price_version": "1",
        "quality": "low",
    }


async def test_a_settlement_from_another_state_is_refused(
    jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    marked = await bring(order(), "submitting")
    assert await jobs.accept(marked, "fal-a")
    before = await everything()

    with pytest.raises(Fenced):
        await jobs.settle(marked, Settlement(state="released", charge=0))
    assert await everything() == before


async def test_another_settlement_of_a_settled_job_is_refused(
    jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "accepted")
    await jobs.settle(job, Settlement(state="paid", charge=60))
    before = await everything()

    with pytest.raises(Fenced):
        await jobs.settle(job, Settlement(state="unknown", charge=100))
    assert await everything() == before


async def test_an_end_leaves_the_flight_of_somebody_else_alone(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    paid = await bring(order("a", "f"), "paid")
    held = await bring(order("b", "g"), "reserved")
    await redis.mset({keyspace.flight("f"): "open:x", keyspace.flight("g"): "open:y"})

    await jobs.finish(paid, (), PoolVersion(7, 1))
    await jobs.settle(held, Settlement(state="released", charge=0))

    assert await redis.mget(keyspace.flight("f"), keyspace.flight("g")) == ["open:x", "open:y"]
    assert await redis.exists(keyspace.MARKERS) == 0


@pytest.mark.parametrize("wrong", ["another account", "one too many", "too few", "flight"])
async def test_other_accounts_than_those_of_the_hold_are_refused(
    wrong: str, order: Orders, bring: Brings, redis: Redis, everything: Everything
) -> None:
    await bring(order(), "accepted")
    usual = [keyspace.account(UPSTREAM, account) for account in order().accounts]
    before = await everything()
    accounts = {
        "another account": [f"{usual[0]}x", *usual[1:]],
        "one too many": [*usual, f"{usual[0]}x"],
        "too few": usual[:-1],
    }

    with pytest.raises(Unavailable) as refused:
        await Script("jobs_settle")(
            redis,
            job=keyspace.job("a"),
            open_jobs=keyspace.open_jobs(UPSTREAM),
            ended_jobs=keyspace.ended_jobs(UPSTREAM),
            flight=keyspace.flight("g" if wrong == "flight" else "f"),
            ledger=keyspace.ledger(UPSTREAM),
            overage=keyspace.overage(UPSTREAM),
            slots=keyspace.slots(UPSTREAM),
            waiting=keyspace.waiting(UPSTREAM),
            tags=keyspace.turns(UPSTREAM),
            alerts=keyspace.ALERTS,
            usage=usage_keys.usage(UPSTREAM, "2026-11-22"),
            hits=usage_keys.hits(UPSTREAM, "2026-11-22"),
            breakdown=usage_keys.breakdown(UPSTREAM, "2026-11-22"),
            day_sums=usage_keys.day_sums(UPSTREAM, "2026-11-22"),
            month_sums=usage_keys.month_sums(UPSTREAM, "2026-11"),
            callers=usage_keys.callers(UPSTREAM),
            torn=keyspace.torn(UPSTREAM),
            slots_max=0,
            channel=keyspace.MOVED,
            subject="t/p/k|m|low|paid",
            measures="{}",
            more_keys=accounts.get(wrong, usual),
            job_id="a",
            epoch=1,
            **{"from": "accepted"},
            to="paid",
            charge=60,
            lease_ms=1,
            output="null",
            answer="null",
            refusal=keyspace.refusal("a"),
            refusal_kept_s=600,
            wake=keyspace.WAKE,
        )
    assert "BADKEYS" in str(refused.value.__cause__)
    assert await everything() == before

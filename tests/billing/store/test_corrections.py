"""Corrections: a difference with fal's billing is posted once, wherever the job was charged."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aged import Aged
from redis.asyncio import Redis
from standing import standing

from falgate.billing.closed_job import ClosedJob, ReconcileReport
from falgate.billing.store.corrections import Corrections
from falgate.core.account import chain
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.charge import Charge
from falgate.money.store.budgets import Budgets
from falgate.money.store.verify import verify
from falgate.redis import keyspace, usage_keys

UPSTREAM = "https://queue.example"
FOREVER_MS = 10**14

Bring = Callable[..., Awaitable[Job]]
Look = Callable[[], Awaitable[Any]]


@pytest.fixture
def corrections(redis: Redis) -> Corrections:
    return Corrections(redis, owner="one")


@pytest.fixture
def closed(corrections: Corrections) -> Callable[[], Awaitable[list[ClosedJob]]]:
    """What the ledger says of every closed job."""

    async def closed() -> list[ClosedJob]:
        pages = [page async for page in corrections.closes(UPSTREAM, 0, FOREVER_MS)]
        return [posting for page in pages for posting in page]

    return closed


@pytest.fixture
async def posting(
    bring: Bring, order: Callable[..., Order], closed: Callable[[], Awaitable[list[ClosedJob]]]
) -> ClosedJob:
    """A job that held 100 and was settled at 60."""
    await bring(order(), "paid", charge=60)
    [posting] = await closed()
    return posting


async def test_a_close_is_read_as_it_was_posted(posting: ClosedJob) -> None:
    assert (posting.job, posting.request_id, posting.outcome) == ("a", "fal-a", "paid")
    assert (posting.team, posting.app, posting.key, posting.held) == ("t", "p", "k", 100)
    assert posting.charge == Charge(60, 0)
    kinds = [name.partition(":")[0] for name in posting.windows.split()]
    assert kinds == ["hour", "day", "week", "month", "total"]


@pytest.mark.parametrize(
    "now", [Charge(0, 0), Charge(45, 0), Charge(61, 0), Charge(100, 0), Charge(100, 25)], ids=repr
)
async def test_a_difference_is_posted_on_every_account_and_window(
    corrections: Corrections, posting: ClosedJob, money: Look, budgets: Budgets, now: Charge
) -> None:
    assert await corrections.correct(UPSTREAM, posting, now, "billed otherwise")

    assert await money() == (now.billed, 0, now.overrun)
    for account in chain("t", "p", "k"):
        stands = await budgets.positions(UPSTREAM, account)
        assert {position.spent for position in stands} == {now.billed}


async def test_what_was_forgiven_and_not_spent_after_all_is_no_room_for_more(
    *,
    redis: Redis,
    corrections: Corrections,
    posting: ClosedJob,
    bring: Bring,
    order: Callable[..., Order],
    closed: Callable[[], Awaitable[list[ClosedJob]]],
    budgets: Budgets,
) -> None:
    async def spent() -> dict[str, set[int]]:
        accounts = chain("t", "p", "k")
        stands = [p for each in accounts for p in await budgets.positions(UPSTREAM, each)]
        kinds = ("day", "week")
        return {kind: {p.spent for p in stands if p.window.kind == kind} for kind in kinds}

    for account in chain("t", "p", "k"):
        await budgets.reset(UPSTREAM, account, "day", change=account.name, who="me")
    await bring(order("b", "g"), "paid", charge=70)
    assert await corrections.correct(UPSTREAM, posting, Charge(20, 0), "billed otherwise")
    assert await spent() == {"day": {70}, "week": {90}}

    later = next(each for each in await closed() if each.job == "b")
    assert await corrections.correct(UPSTREAM, later, Charge(30, 0), "billed otherwise")
    assert await spent() == {"day": {30}, "week": {50}}
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_the_books_add_up_after_it(
    redis: Redis, corrections: Corrections, posting: ClosedJob
) -> None:
    await corrections.correct(UPSTREAM, posting, Charge(100, 25), "billed otherwise")

    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_the_entry_has_signed_differences_and_no_prompt(
    redis: Redis, corrections: Corrections, posting: ClosedJob
) -> None:
    await corrections.correct(UPSTREAM, posting, Charge(100, 7), "billed otherwise")
    later = msgspec.structs.replace(posting, charge=Charge(100, 7))
    await corrections.correct(UPSTREAM, later, Charge(55, 0), "billed otherwise")

    found: Any = await redis.xrange(keyspace.ledger(UPSTREAM))
    _, first, second = [fields for _, fields in found]
    assert (first["kind"], first["billed"], first["overrun"]) == ("correction", "40", "7")
    assert (second["billed"], second["overrun"]) == ("-45", "-7")
    assert set(second) == {
        *("kind", "job", "windows", "team", "app", "key", "charged_model", "request_id"),
        *("billed", "overrun", "without_pictures", "why"),
    }


async def test_a_repeat_changes_nothing(
    corrections: Corrections, posting: ClosedJob, everything: Look
) -> None:
    assert await corrections.correct(UPSTREAM, posting, Charge(45, 0), "billed otherwise")
    before = await everything()

    assert not await corrections.correct(UPSTREAM, posting, Charge(45, 0), "billed otherwise")

    assert await everything() == before


async def test_what_was_corrected_is_read_with_the_close(
    corrections: Corrections,
    posting: ClosedJob,
    closed: Callable[[], Awaitable[list[ClosedJob]]],
    money: Look,
) -> None:
    await corrections.correct(UPSTREAM, posting, Charge(45, 0), "billed otherwise")
    [again] = await closed()
    assert again == msgspec.structs.replace(posting, charge=Charge(45, 0), compared=True)

    assert await corrections.correct(UPSTREAM, again, Charge(60, 0), "billed otherwise")

    assert await money() == (60, 0, 0)


async def test_of_two_that_found_different_amounts_one_is_posted(
    redis: Redis, corrections: Corrections, posting: ClosedJob, money: Look
) -> None:
    done = await asyncio.gather(
        *(
            corrections.correct(UPSTREAM, posting, Charge(billed, 0), "billed otherwise")
            for billed in (10, 20)
        )
    )

    assert sorted(done) == [False, True]
    assert (await money())[0] == (10 if done[0] else 20)
    assert (await verify(redis, UPSTREAM)).differences == ()


@pytest.fixture
async def refused(
    jobs: Jobs,
    bring: Bring,
    order: Callable[..., Order],
    closed: Callable[[], Awaitable[list[ClosedJob]]],
) -> ClosedJob:
    """A job that was refused and cost nothing."""
    await jobs.settle(await bring(order(), "accepted"), Settlement(state="refused", charge=0))
    [posting] = await closed()
    return posting


async def test_a_job_that_cost_nothing_may_be_billed_after_all(
    redis: Redis, corrections: Corrections, refused: ClosedJob, money: Look
) -> None:
    await corrections.correct(UPSTREAM, refused, Charge(30, 0), "billed otherwise")

    assert await money() == (30, 0, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_counters_that_are_no_longer_kept_are_not_begun_anew(
    redis: Redis, corrections: Corrections, posting: ClosedJob
) -> None:
    hour, day = posting.windows.split()[:2]
    account = keyspace.account(UPSTREAM, chain("t", "p", "k")[0])
    await redis.hdel(account, f"spent:{hour}")
    old = Aged(**msgspec.structs.asdict(posting))

    await corrections.correct(UPSTREAM, old, Charge(45, 0), "billed otherwise")

    assert not await redis.hexists(account, f"spent:{hour}")
    assert await redis.hget(account, f"spent:{day}") == "45"


async def test_usage_follows(redis: Redis, corrections: Corrections, posting: ClosedJob) -> None:
    await corrections.correct(UPSTREAM, posting, Charge(100, 9), "billed otherwise")

    day = posting.day
    usage: Any = await redis.hgetall(usage_keys.usage(UPSTREAM, day))
    assert (usage["t/p:billed"], usage["t/p:overrun"]) == ("100", "9")
    parts: Any = await redis.hgetall(usage_keys.breakdown(UPSTREAM, day))
    paid = "t/p/k|fal-ai/model|low|paid"
    assert (parts[f"{paid}:billed"], parts[f"{paid}:overrun"]) == ("100", "9")


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "other"},
        {"team": "other"},
        {"outcome": "recovered"},
        {"job": "other"},
        {"windows": "hour:x day:2020-01-01 week:x month:x total:all"},
        {"charge": Charge(-5, 0)},
    ],
    ids=repr,
)
async def test_what_is_not_of_the_job_is_refused(
    corrections: Corrections, posting: ClosedJob, everything: Look, wrong: dict[str, Any]
) -> None:
    before = await everything()

    with pytest.raises(Unavailable):
        await corrections.correct(
            UPSTREAM, msgspec.structs.replace(posting, **wrong), Charge(45, 0), "billed otherwise"
        )

    assert await everything() == before


async def test_more_than_was_held_never_reaches_the_budgets(
    corrections: Corrections, posting: ClosedJob, everything: Look
) -> None:
    before = await everything()

    with pytest.raises(Unavailable):
        await corrections.correct(UPSTREAM, posting, Charge(101, 0), "billed otherwise")

    assert await everything() == before


async def test_a_close_that_was_archived_is_left_alone(
    redis: Redis, corrections: Corrections, posting: ClosedJob, money: Look
) -> None:
    await redis.xdel(keyspace.ledger(UPSTREAM), posting.entry)

    assert not await corrections.correct(UPSTREAM, posting, Charge(45, 0), "billed otherwise")

    assert await money() == (60, 0, 0)


async def test_a_page_ends_and_the_next_one_goes_on(
    redis: Redis,
    posting: ClosedJob,
    closed: Callable[[], Awaitable[list[ClosedJob]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: Any = await redis.xrange(keyspace.ledger(UPSTREAM))
    [(_, fields)] = found
    for number in range(6):
        await redis.xadd(keyspace.ledger(UPSTREAM), {**fields, "job": f"b{number}"})
        await redis.xadd(keyspace.ledger(UPSTREAM), {"kind": "raise"})
    monkeypatch.setattr("falgate.billing.store.corrections._PAGE", 4)

    assert [each.job for each in await closed()] == [posting.job, *(f"b{n}" for n in range(6))]


async def test_one_instance_at_a_time_has_its_turn(redis: Redis, corrections: Corrections) -> None:
    other = Corrections(redis, owner="two")

    assert await corrections.take_round(UPSTREAM, 60_000)
    assert not await other.take_round(UPSTREAM, 60_000)


@pytest.mark.parametrize(("whole", "until_ms"), [(True, 900), (False, 0)])
async def test_a_look_is_remembered(
    redis: Redis, corrections: Corrections, whole: object, until_ms: int
) -> None:
    assert (await standing(redis, UPSTREAM)).reconciled is None
    seen = ReconcileReport(at_ms=9, since_ms=5, until_ms=900, looked=3, difference=-2, strange=True)

    await corrections.keep(UPSTREAM, seen, whole=bool(whole))

    assert (await standing(redis, UPSTREAM)).reconciled == seen
    assert await corrections.compared_until_ms(UPSTREAM) == until_ms

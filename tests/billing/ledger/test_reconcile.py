"""Reconciliation on a real ledger: every difference with fal's billing, once and in full."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from standing import standing

from falgate.billing.reconcile import Reconciler
from falgate.billing.store.corrections import Corrections
from falgate.fal.billing import BooksClosed
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.verify import verify

UPSTREAM = "https://queue.example"
HOUR_MS = 3_600_000

Paid = Callable[[str, int], Awaitable[None]]
Look = Callable[[], Awaitable[Any]]

BILLED = {
    # settled at, fal's events, spent and overrun after, difference
    "as booked": (60, [60], (60, 0, 0), 0),
    "less": (60, [45], (45, 0, 0), -15),
    "more, within the hold": (60, [80], (80, 0, 0), 20),
    "more than was held": (60, [130], (100, 0, 30), 70),
    "less than an overrun": (120, [90], (90, 0, 0), -30),
    "nothing": (60, [0], (0, 0, 0), -60),
    "in parts": (60, [20, 25], (45, 0, 0), -15),
    "with a part given back": (60, [60, -10], (50, 0, 0), -10),
}


@pytest.mark.parametrize("case", BILLED.values(), ids=BILLED)
async def test_a_job_comes_to_what_fal_billed_for_it(
    reconciler: Reconciler, books: Any, paid: Paid, money: Look, case: Any
) -> None:
    charge, parts, expected, difference = case
    await paid("a", charge)
    for part in parts:
        books.bill("fal-a", part)

    report = await reconciler.look()

    assert await money() == expected
    assert report.summary.difference == difference
    assert [each.difference for each in report.corrected] == ([difference] if difference else [])


async def test_a_repeat_changes_nothing_and_the_books_add_up(
    redis: Redis, reconciler: Reconciler, books: Any, paid: Paid, money: Look
) -> None:
    for number, billed in enumerate((45, 60, 130)):
        await paid(f"j{number}", 60)
        books.bill(f"fal-j{number}", billed)

    first = await reconciler.look(back_s=72 * 3600)
    after = await money()
    second = await reconciler.look(back_s=72 * 3600)

    assert (first.summary.looked, first.summary.corrected) == (3, 2)
    assert (second.summary.looked, second.corrected) == (3, ())
    assert await money() == after == (45 + 60 + 100, 0, 30)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_what_fal_billed_as_booked_counts_as_reconciled_once(
    redis: Redis, reconciler: Reconciler, later: Any, books: Any, paid: Paid
) -> None:
    later.by_ms = 2 * HOUR_MS
    for number, billed in enumerate((60, 45, None)):
        await paid(f"j{number}", 60)
        if billed is not None:
            books.bill(f"fal-j{number}", billed)

    for _ in range(2):
        await reconciler.look(back_s=72 * 3600)

    [usage] = [key async for key in redis.scan_iter("{fg}:usage:*")]
    found = await redis.hmget(usage, ["t/p:billed", "t/p:reconciled"])
    assert found == ["165", "105"]


async def test_two_machines_at_once_post_a_difference_once(
    redis: Redis, reconciler: Reconciler, books: Any, paid: Paid, money: Look
) -> None:
    for number in range(5):
        await paid(f"j{number}", 60)
        books.bill(f"fal-j{number}", 45)

    reports = await asyncio.gather(reconciler.look(), reconciler.look())

    assert sum(report.summary.corrected for report in reports) == 5
    assert await money() == (225, 0, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_billing_that_changes_its_mind_is_followed(
    redis: Redis, reconciler: Reconciler, books: Any, paid: Paid, money: Look
) -> None:
    await paid("a", 60)
    books.bill("fal-a", 30)
    await reconciler.look(back_s=72 * 3600)
    books.bill("fal-a", 100)

    report = await reconciler.look(back_s=72 * 3600)

    assert report.summary.difference == 100
    assert await money() == (100, 0, 30)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_young_jobs_are_left_alone(
    reconciler: Reconciler, later: Any, books: Any, paid: Paid, money: Look
) -> None:
    await paid("a", 60)
    books.bill("fal-a", 45)
    later.by_ms = HOUR_MS // 2

    assert (await reconciler.look()).summary.looked == 0
    assert await money() == (60, 0, 0)
    assert (await reconciler.look(lag_s=60)).summary.corrected == 1


async def test_a_missing_event_means_nothing_billed_only_after_a_day(
    reconciler: Reconciler, later: Any, books: Any, paid: Paid, money: Look
) -> None:
    await paid("a", 60)
    await paid("b", 60)
    books.bill("fal-b", 60)
    later.by_ms = 23 * HOUR_MS

    early = await reconciler.look()
    assert (early.corrected, early.summary.pending) == ((), 1)
    later.by_ms = 25 * HOUR_MS
    report = await reconciler.look()

    assert [(each.closed.job, each.why, each.difference) for each in report.corrected] == [
        ("a", "not billed", -60)
    ]
    assert await money() == (60, 0, 0)


async def test_books_that_have_nothing_of_ours_give_nothing_back(
    reconciler: Reconciler, books: Any, paid: Paid, money: Look, facts: Any
) -> None:
    """As with the admin key of another account."""
    await paid("a", 60)
    books.bill("somebody-elses", 60)

    report = await reconciler.look()

    assert (report.corrected, report.summary.strange, report.summary.pending) == ((), True, 1)
    assert await money() == (60, 0, 0)
    assert facts.anomalies == ["foreign_account"]


async def test_an_event_without_an_amount_decides_nothing(
    reconciler: Reconciler, books: Any, paid: Paid, money: Look
) -> None:
    await paid("a", 60)
    books.bill("fal-a", None)

    report = await reconciler.look()

    assert (report.corrected, report.summary.pending) == ((), 1)
    assert await money() == (60, 0, 0)


@pytest.fixture
async def refused(bring: Any, order: Any, jobs: Jobs) -> None:
    """A job that fal refused, at no cost as it seemed."""
    await jobs.settle(await bring(order(), "accepted"), Settlement(state="refused", charge=0))


@pytest.mark.usefixtures("refused")
async def test_a_job_that_cost_nothing_and_was_not_billed_is_done(reconciler: Reconciler) -> None:
    summary = (await reconciler.look()).summary

    assert (summary.looked, summary.pending, summary.strange) == (1, 0, False)


@pytest.mark.usefixtures("refused")
async def test_a_refusal_that_was_billed_is_booked(
    reconciler: Reconciler, books: Any, money: Look
) -> None:
    books.bill("fal-a", 34)

    await reconciler.look()

    assert await money() == (34, 0, 0)


async def test_what_fal_billed_and_no_job_knows_is_the_drift(
    redis: Redis, reconciler: Reconciler, books: Any, jobs: Jobs, paid: Paid
) -> None:
    await paid("a", 60)
    now_ms = await jobs.now_ms()
    books.bill("fal-a", 60, at_ms=now_ms)
    books.bill("stranger", 30, at_ms=now_ms)
    books.bill("stranger", 5, at_ms=now_ms)
    books.bill("another", 7, at_ms=now_ms - 20 * HOUR_MS)
    books.bill("long ago", 99, at_ms=now_ms - 90 * HOUR_MS)

    summary = (await reconciler.look()).summary

    assert (summary.drift, summary.unmatched) == (42, 2)
    assert (await standing(redis, UPSTREAM)).reconciled == summary


async def test_closed_books_post_nothing_and_are_read_as_far_back_the_next_time(
    reconciler: Reconciler, books: Any, paid: Paid, money: Look
) -> None:
    await paid("a", 60)
    books.bill("fal-a", 45)
    books.closed = True
    with pytest.raises(BooksClosed):
        await reconciler.look()
    books.closed = False

    await reconciler.look()

    assert await money() == (45, 0, 0)


async def test_the_next_look_goes_back_as_far_as_something_may_have_been_left(
    reconciler: Reconciler, later: Any, books: Any, paid: Paid
) -> None:
    await paid("a", 60)
    books.bill("fal-a", 60)
    first = (await reconciler.look()).summary
    later.by_ms += 2 * HOUR_MS

    second = (await reconciler.look()).summary

    assert first.at_ms - first.since_ms == 72 * HOUR_MS
    assert first.until_ms - second.since_ms == 27 * HOUR_MS


async def test_a_short_look_leaves_nothing_out_of_the_next_one(
    reconciler: Reconciler, later: Any
) -> None:
    first = (await reconciler.look()).summary
    later.by_ms += 20 * HOUR_MS

    await reconciler.look(back_s=3600 * 2)

    assert (await reconciler.look()).summary.since_ms == first.until_ms - 27 * HOUR_MS


async def test_the_loop_looks_on_one_instance_at_a_time_and_survives_closed_books(
    redis: Redis, reconciler: Reconciler, books: Any, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    monkeypatch.setattr("falgate.billing.reconcile._LOOK_S", 0.005)
    corrections = Corrections(redis, owner="two")
    books.closed = True
    running = asyncio.create_task(reconciler.run())

    async def taken() -> bool:
        return not await corrections.take_round(UPSTREAM, 1)

    await until(taken)
    books.closed = False
    await redis.delete("{fg}:reconciler:" + UPSTREAM)

    async def looked() -> bool:
        return (await standing(redis, UPSTREAM)).reconciled is not None

    await until(looked)
    assert not running.done()
    running.cancel()

"""Lost submits that were settled in full: given back only where fal certainly never had them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.billing.reconcile import Reconciler
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.verify import verify

UPSTREAM = "https://queue.example"
HOUR_MS = 3_600_000

Paid = Callable[[str, int], Awaitable[None]]
Look = Callable[[], Awaitable[Any]]


@pytest.fixture
async def seen(paid: Paid, books: Any) -> None:
    """A job that fal has billed as booked, which shows that these are fal's books about us."""
    await paid("seen", 60)
    books.bill("fal-seen", 60)


@pytest.mark.usefixtures("seen")
async def test_a_lost_submit_that_fal_never_had_is_given_back_after_a_day(
    redis: Redis, reconciler: Reconciler, later: Any, lost: Any, money: Look
) -> None:
    await lost("a")
    later.by_ms = 23 * HOUR_MS
    assert (await reconciler.look()).corrected == ()
    assert await money() == (160, 0, 0)
    later.by_ms = 25 * HOUR_MS

    report = await reconciler.look()

    assert [(each.closed.job, each.why) for each in report.corrected] == [("a", "not at fal")]
    assert await money() == (60, 0, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("shown", ["listed", "billed"])
async def test_a_lost_submit_stays_booked_while_fal_has_a_request_that_is_nobodys(
    reconciler: Reconciler, books: Any, lost: Any, money: Look, shown: str
) -> None:
    sent_ms = await lost("a")
    if shown == "listed":
        books.know("whose", sent_ms, None)
    else:
        books.bill("whose", 55, at_ms=sent_ms)

    report = await reconciler.look()

    assert (report.corrected, report.summary.pending) == ((), 1)
    assert await money() == (160, 0, 0)


@pytest.mark.usefixtures("seen")
async def test_requests_of_other_jobs_do_not_keep_it_booked(
    reconciler: Reconciler, books: Any, lost: Any, money: Look
) -> None:
    sent_ms = await lost("a")
    books.know("fal-seen", sent_ms, None)

    await reconciler.look()

    assert await money() == (60, 0, 0)


@pytest.fixture
async def late(seen: None, lost: Any, jobs: Jobs) -> None:
    """A lost submit whose request came to light after it was settled in full."""
    del seen
    await lost("a")
    job = await jobs.read("a")
    assert job is not None
    assert await jobs.accept(job, "late", lease_ms=0)


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(("billed", "spent"), [(55, 115), (0, 60), (130, 160)])
async def test_a_lost_submit_whose_request_came_to_light_late_costs_what_fal_billed(
    reconciler: Reconciler, books: Any, money: Look, billed: int, spent: int
) -> None:
    books.bill("late", billed)

    await reconciler.look()

    assert await money() == (spent, 0, max(0, billed - 100))


@pytest.mark.parametrize("closed", ["refused", "released", "unknown"])
async def test_what_fal_carried_out_all_the_same_is_booked_however_its_job_was_closed(  # noqa: PLR0917 - fixtures
    reconciler: Reconciler,
    books: Any,
    jobs: Jobs,
    bring: Any,
    order: Any,
    money: Look,
    closed: Any,
) -> None:
    job = await bring(order("a", "fa"), "submitting")
    await jobs.settle(job, Settlement(state=closed, charge=0))
    assert await jobs.accept(job, "late", lease_ms=0), "its hook came in after that"
    books.bill("late", 55)

    await reconciler.look()

    assert await money() == (55, 0, 0)


@pytest.fixture
async def unmarked(bring: Any, order: Any, jobs: Jobs) -> None:
    """A job whose mark Redis has lost, that was released, and whose request then came in."""
    job = await bring(order("a", "fa"), "reserved")
    await jobs.settle(job, Settlement(state="released", charge=0))
    assert await jobs.accept(job, "r-1")


@pytest.mark.usefixtures("unmarked")
async def test_a_release_that_fal_has_carried_out_is_booked_by_its_billing(
    redis: Redis, reconciler: Reconciler, books: Any, money: Look
) -> None:
    books.bill("r-1", 55)

    await reconciler.look()

    assert await money() == (55, 0, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()

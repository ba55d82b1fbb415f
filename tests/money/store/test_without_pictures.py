"""Money for nothing: what was charged without a picture has a measure, a reason, a correction."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.billing.closed_job import ClosedJob
from falgate.billing.store.corrections import Corrections
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import UNKNOWN, Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.charge import Charge
from falgate.money.store.verify import verify
from falgate.money.usage import columns
from falgate.redis import keyspace, usage_keys

UPSTREAM = "https://queue.example"
FOREVER_MS = 10**14

Bring = Callable[..., Awaitable[Job]]
Counted = Callable[[], Awaitable[tuple[int, int]]]
Settle = Callable[[str, Settlement], Awaitable[None]]
Correct = Callable[[int], Awaitable[None]]


@pytest.fixture
def closed(redis: Redis) -> Callable[[], Awaitable[ClosedJob]]:
    """The one closed job."""

    async def closed() -> ClosedJob:
        pages = Corrections(redis, owner="one").closes(UPSTREAM, 0, FOREVER_MS)
        [posting] = [posting async for page in pages for posting in page]
        return posting

    return closed


@pytest.fixture
def counted(redis: Redis, closed: Callable[[], Awaitable[ClosedJob]]) -> Counted:
    """Of its day, what is booked, and what of that brought nothing."""

    async def counted() -> tuple[int, int]:
        measures: Any = await redis.hgetall(usage_keys.usage(UPSTREAM, (await closed()).day))
        return int(measures["t/p:billed"]), int(measures.get("t/p:without_pictures", 0))

    return counted


@pytest.fixture
def settle(jobs: Jobs, bring: Bring, order: Callable[..., Order]) -> Settle:
    """Settles a new job from a state."""

    async def settle(state: str, settlement: Settlement) -> None:
        output: Any = {"images": []} if settlement.delivered else None
        await jobs.settle(await bring(order(), state), settlement, output)

    return settle


@pytest.fixture
def correct(redis: Redis, closed: Callable[[], Awaitable[ClosedJob]]) -> Correct:
    """Corrects it to what it cost."""

    async def correct(billed: int) -> None:
        now = Charge(billed, 0)
        await Corrections(redis, owner="one").correct(UPSTREAM, await closed(), now, "not billed")

    return correct


@pytest.mark.parametrize(
    ("state", "settlement"),
    [
        ("accepted", Settlement(state="refused", charge=95, why="content_policy_violation")),
        ("submitting", Settlement(state="unknown", charge=95, why=UNKNOWN)),
    ],
)
async def test_what_brought_nothing_is_counted_with_its_reason(
    redis: Redis, settle: Settle, counted: Counted, state: str, settlement: Settlement
) -> None:
    await settle(state, settlement)

    page: Any = await redis.xrange(keyspace.ledger(UPSTREAM))
    assert (page[0][1]["why"], page[0][1]["bought"]) == (settlement.why, "0")
    assert await counted() == (95, 95)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_a_correction_of_it_corrects_that_too(
    redis: Redis, settle: Settle, counted: Counted, correct: Correct
) -> None:
    await settle("accepted", Settlement(state="refused", charge=95))
    await correct(20)

    assert await counted() == (20, 20)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_what_brought_pictures_is_not_in_it_before_and_after_a_correction(
    redis: Redis, settle: Settle, counted: Counted, correct: Correct
) -> None:
    await settle("accepted", Settlement(state="paid", charge=60, delivered=1))
    assert await counted() == (60, 0)
    await correct(70)

    assert await counted() == (70, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()


def test_a_report_has_a_column_for_it() -> None:
    assert "without_pictures_usd" in columns(())

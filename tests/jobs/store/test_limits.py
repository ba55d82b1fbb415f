"""Limits on purchases: exactly as many as allowed, in any 60 seconds and under way at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.accounts.limits import NONE, Exceeded, Limits, PurchaseLimits, PurchaseRates
from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Denied, Held, Joined
from falgate.money.store.verify import verify
from falgate.redis import keyspace
from falgate.redis.client import connect

UPSTREAM = "https://queue.example"
NEW = PoolVersion()
NAMES = ["organisation:main", "team:t", "app:t/p", "key:k", "model:fal-ai/model"]
WHATS = ["generations_per_minute", "generations_at_once"]

Ask = Callable[..., Awaitable[Any]]
Everything = Callable[[], Awaitable[dict[str, Any]]]


def terms(level: int = 1, **limits: int) -> PurchaseLimits:
    """Limits of one account."""
    if NAMES[level].startswith("model:"):
        return PurchaseLimits(model=PurchaseRates(**limits))
    return PurchaseLimits(limits=tuple(Limits(**limits) if n == level else NONE for n in range(4)))


@pytest.fixture
def ask(jobs: Jobs, order: Callable[..., Order]) -> Ask:
    """Asks for a purchase of its own by this name, on these limits of the team."""

    async def hold(job_id: str, by: Jobs = jobs, level: int = 1, **limits: int) -> Any:
        asked = order(job_id, f"f-{job_id}", held=1)
        return await by.hold(asked, NEW, terms(level, **limits))

    return hold


@pytest.fixture
def began(redis: Redis, jobs: Jobs, order: Callable[..., Order]) -> Callable[..., Awaitable[None]]:
    """Lets the team's purchases have begun so many milliseconds ago."""
    pace = keyspace.pace(UPSTREAM, order().accounts[1])

    async def move(**ago_ms: int) -> None:
        now_ms = await jobs.now_ms()
        moved = {job_id: now_ms - ago for job_id, ago in ago_ms.items()}
        assert await redis.zadd(pace, moved, xx=True, ch=True) == len(moved)

    return move


@pytest.fixture
async def instances(url: str, jobs_of: Callable[..., Jobs]) -> AsyncIterator[Sequence[Jobs]]:
    """Two instances, each with connections of its own."""
    clients = [connect(url, timeout_s=TRIP_S) for _ in range(2)]
    yield [jobs_of(f"i{number}", redis=client) for number, client in enumerate(clients)]
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("level", range(len(NAMES)))
@pytest.mark.parametrize("what", WHATS)
async def test_as_many_as_allowed_are_bought_and_one_more_holds_and_counts_nothing(
    ask: Ask, everything: Everything, what: str, level: int
) -> None:
    for job_id in "abc":
        assert await ask(job_id, level=level, **{what: 3}) == Held()
    before = await everything()

    refused = await ask("d", level=level, **{what: 3})

    assert isinstance(refused, Exceeded)
    assert (refused.account, refused.what, refused.limit) == (NAMES[level], what, 3)
    assert await everything() == before
    assert await ask("d", level=level, **{what: 4}) == Held()


@pytest.mark.parametrize("what", WHATS)
async def test_no_more_are_bought_when_they_are_asked_for_at_once(
    instances: Sequence[Jobs], ask: Ask, redis: Redis, what: str
) -> None:
    verdicts = await asyncio.gather(
        *(ask(f"j{n}", by=instances[n % 2], **{what: 7}) for n in range(50))
    )

    assert verdicts.count(Held()) == 7
    assert sum(isinstance(verdict, Exceeded) for verdict in verdicts) == 43
    assert await redis.zcard(keyspace.open_jobs(UPSTREAM)) == 7
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_a_minute_is_any_60_seconds_and_not_one_by_the_clock(ask: Ask, began: Any) -> None:
    minute = {"generations_per_minute": 2}
    for job_id in "ab":
        assert await ask(job_id, **minute) == Held()
    # On both sides of whatever full minute there was.
    await began(a=50_000, b=10_000)

    refused = await ask("c", **minute)

    assert 5_000 < refused.retry_after_ms <= 10_000
    await began(a=60_000)
    assert await ask("c", **minute) == Held()
    refused = await ask("d", **minute)
    assert 45_000 < refused.retry_after_ms <= 50_000


async def test_who_may_buy_less_than_it_did_is_told_when_there_is_room(
    ask: Ask, began: Any
) -> None:
    for job_id in "abcd":
        assert await ask(job_id, generations_per_minute=4) == Held()
    await began(a=50_000, b=40_000, c=30_000, d=20_000)

    refused = await ask("e", generations_per_minute=2)

    assert 25_000 < refused.retry_after_ms <= 30_000
    await began(a=90_000, b=80_000, c=70_000, d=50_000)
    assert await ask("e", generations_per_minute=2) == Held()


async def test_who_asks_again_after_a_lost_reply_is_counted_once(ask: Ask) -> None:
    for _ in range(2):
        assert await ask("a", generations_per_minute=2) == Held()

    assert await ask("b", generations_per_minute=2) == Held()


async def test_what_joins_or_has_no_money_is_not_counted(
    jobs: Jobs, ask: Ask, order: Callable[..., Order]
) -> None:
    two = terms(generations_per_minute=2, generations_at_once=2)
    assert await ask("a", generations_per_minute=2) == Held()

    assert await jobs.hold(order("b", "f-a"), NEW, two) == Joined("a")
    assert isinstance(await jobs.hold(order("c", held=10_000), NEW, two), Denied)

    assert await ask("d", generations_per_minute=2, generations_at_once=2) == Held()


UNDER_WAY = {
    "reserved": True,
    "submitting": True,
    "accepted": True,
    "paid": False,
}


@pytest.mark.parametrize("state", UNDER_WAY)
async def test_at_once_are_those_under_way_at_fal_or_on_their_way_there(
    ask: Ask, bring: Callable[..., Awaitable[Job]], order: Callable[..., Order], state: Any
) -> None:
    await bring(order("a"), state)

    verdict = await ask("b", generations_at_once=1)

    assert isinstance(verdict, Exceeded) == UNDER_WAY[state]


@pytest.mark.parametrize("end", ["released", "refused", "unknown"])
async def test_what_has_ended_is_under_way_no_more_and_was_bought_in_its_minute(
    ask: Ask,
    jobs: Jobs,
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
    end: Any,
) -> None:
    both = {"generations_at_once": 1, "generations_per_minute": 1}
    job = await bring(order("z"), "submitting")
    assert isinstance(await ask("a", generations_at_once=1), Exceeded)
    await jobs.settle(job, Settlement(state=end, charge=0))

    assert await ask("a", **both) == Held()
    assert isinstance(await ask("b", generations_per_minute=1), Exceeded)


async def test_an_uncertain_one_is_under_way_until_it_is_closed(
    ask: Ask, jobs: Jobs, bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> None:
    await jobs.mark_uncertain(await bring(order("a"), "submitting"), "lost")

    assert isinstance(await ask("b", generations_at_once=1), Exceeded)

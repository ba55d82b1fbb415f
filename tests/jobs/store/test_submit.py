"""From the mark to fal's id, and who a job belongs to meanwhile: leases, epochs, adoption."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.jobs.job import Fenced, Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held, Joined
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Lapse = Callable[[str], Awaitable[None]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
UNKNOWN = Settlement(state="unknown", charge=100)


@pytest.fixture
def other(jobs_of: Callable[..., Jobs]) -> Jobs:
    """Another instance."""
    return jobs_of("two")


@pytest.fixture
def lease_left_ms(jobs: Jobs, redis: Redis) -> Callable[[], Awaitable[float]]:
    """How long the lease of job a still runs."""

    async def look() -> float:
        until_ms = await redis.zscore(keyspace.open_jobs(UPSTREAM), "a")
        assert until_ms is not None
        return float(until_ms) - await jobs.now_ms()

    return look


async def test_a_marked_job_knows_when_it_was_submitted(
    jobs: Jobs, order: Orders, bring: Brings
) -> None:
    before_ms = await jobs.now_ms()

    job = await bring(order(), "submitting")

    assert job.state == "submitting"
    assert before_ms <= job.submitted_ms <= await jobs.now_ms()


async def test_a_lapsed_lease_marks_nothing(
    jobs: Jobs, order: Orders, bring: Brings, lapse: Lapse
) -> None:
    job = await bring(order(), "reserved")
    await lapse("a")

    with pytest.raises(Fenced):
        await jobs.mark(job)
    assert await jobs.read("a") == job


async def test_an_adopted_job_is_not_marked_by_its_old_owner(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings, lapse: Lapse
) -> None:
    job = await bring(order(), "reserved")
    await lapse("a")
    adopted = await other.adopt("a", UPSTREAM)
    assert adopted is not None

    with pytest.raises(Fenced):
        await jobs.mark(job)
    await other.mark(adopted)
    with pytest.raises(Fenced):
        await jobs.mark(job)


@pytest.mark.parametrize("state", ["accepted", "paid"])
async def test_a_job_that_went_on_is_not_marked_again(
    state: str, jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), state)
    before = await everything()

    with pytest.raises(Fenced):
        await jobs.mark(job)
    assert await everything() == before


async def test_a_job_that_is_unknown_here_is_not_marked(
    jobs: Jobs, order: Orders, bring: Brings, everything: Everything, redis: Redis
) -> None:
    job = await bring(order(), "reserved")
    await redis.delete(keyspace.job("a"))
    before = await everything()

    with pytest.raises(Fenced):
        await jobs.mark(job)
    assert await jobs.accept(job, "fal-1") is False
    assert await jobs.renew(job) is False
    with pytest.raises(Fenced):
        await jobs.settle(job, Settlement(state="released", charge=0))
    with pytest.raises(Fenced):
        await jobs.finish(job, (), None)
    assert await everything() == before


async def test_fals_id_is_bound_once(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis, everything: Everything
) -> None:
    job = await bring(order("a", "f"), "submitting")
    assert await jobs.accept(job, "fal-1")
    assert await redis.hget(keyspace.submits(UPSTREAM), "fal-1") == "a"
    other_job = await bring(order("b", "g"), "submitting")
    before = await everything()

    assert not await jobs.accept(job, "fal-2")
    assert not await jobs.accept(other_job, "fal-1")
    assert await everything() == before
    read = await jobs.read("a")
    assert read is not None
    assert (read.state, read.request_id) == ("accepted", "fal-1")


async def test_what_fal_said_is_kept_whoever_says_it(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings, lapse: Lapse
) -> None:
    job = await bring(order(), "submitting")
    await lapse("a")
    assert await other.adopt("a", UPSTREAM)

    assert await jobs.accept(job, "fal-1")

    read = await jobs.read("a")
    assert read is not None
    assert (read.state, read.request_id, read.owner) == ("accepted", "fal-1", "two")


async def test_what_fal_said_too_late_changes_no_money(
    jobs: Jobs, order: Orders, bring: Brings, money: Callable[[], Awaitable[Any]], redis: Redis
) -> None:
    job = await bring(order(), "submitting")
    await jobs.settle(job, UNKNOWN)

    assert await jobs.accept(job, "fal-1")

    read = await jobs.read("a")
    assert read is not None
    assert (read.state, read.request_id) == ("unknown", "fal-1")
    assert await money() == (100, 0, 0)
    assert await redis.zcard(keyspace.open_jobs(UPSTREAM)) == 0


@pytest.mark.parametrize("step", ["mark", "accept", "renew", "settle", "uncertain"])
async def test_a_step_starts_the_lease_anew(
    step: str,
    jobs_of: Callable[..., Jobs],
    bring: Brings,
    order: Orders,
    lease_left_ms: Callable[[], Awaitable[float]],
) -> None:
    longer = jobs_of("one", lease_ms=600_000)
    states = {"mark": "reserved", "accept": "submitting", "settle": "accepted"}
    job = await bring(order(), states.get(step, "accepted"))
    paid = Settlement(state="paid", charge=1)
    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        "mark": lambda: longer.mark(job),
        "accept": lambda: longer.accept(job, "fal-1"),
        "renew": lambda: longer.renew(job),
        "settle": lambda: longer.settle(job, paid),
        "uncertain": lambda: longer.mark_uncertain(job, "lost"),
    }
    assert 0 < await lease_left_ms() <= 60_000

    await steps[step]()

    assert 540_000 < await lease_left_ms() <= 600_000


async def test_a_running_lease_is_nobody_elses(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings
) -> None:
    job = await bring(order(), "accepted")

    assert await jobs.lapsed(UPSTREAM, 10) == []
    assert await other.adopt("a", UPSTREAM) is None
    assert await jobs.read("a") == job


async def test_a_lease_runs_out_by_itself(
    jobs_of: Callable[..., Jobs], other: Jobs, order: Orders, until: Callable[..., Awaitable[None]]
) -> None:
    hasty = jobs_of("one", lease_ms=20)
    assert await hasty.hold(order(), PoolVersion(), PurchaseLimits()) == Held()

    async def lapsed() -> bool:
        return await other.lapsed(UPSTREAM, 10) == ["a"]

    await until(lapsed)
    adopted = await other.adopt("a", UPSTREAM)

    assert adopted is not None
    assert (adopted.owner, adopted.epoch, adopted.state) == ("two", 2, "reserved")


async def test_a_job_handed_over_is_adopted_at_once_and_only_once(
    jobs: Jobs, other: Jobs, jobs_of: Callable[..., Jobs], order: Orders, bring: Brings
) -> None:
    job = await bring(order(), "accepted")

    assert await jobs.renew(job, lease_ms=0)
    adopted = await other.adopt("a", UPSTREAM)

    assert adopted is not None
    assert (adopted.owner, adopted.epoch) == ("two", 2)
    assert await jobs_of("three").adopt("a", UPSTREAM) is None
    assert await jobs.hold(order("b", "f"), PoolVersion(), PurchaseLimits()) == Joined("a")


async def test_an_adopted_job_does_not_listen_to_its_old_owner(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "accepted")
    await jobs.renew(job, lease_ms=0)
    assert await other.adopt("a", UPSTREAM)
    before = await everything()

    assert await jobs.renew(job) is False
    with pytest.raises(Fenced):
        await jobs.mark_uncertain(job, "lost")
    with pytest.raises(Fenced):
        await jobs.settle(job, Settlement(state="paid", charge=1))
    assert await everything() == before


async def test_a_paid_job_is_finished_by_its_adopter_only(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings
) -> None:
    job = await bring(order(), "paid")
    await jobs.renew(job, lease_ms=0)
    adopted = await other.adopt("a", UPSTREAM)
    assert adopted is not None

    with pytest.raises(Fenced):
        await jobs.finish(job, (), None)
    await other.finish(adopted, (), None)


async def test_an_ended_job_is_not_kept_adopted_or_marked_uncertain(
    jobs: Jobs, other: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "submitting")
    await jobs.settle(job, UNKNOWN)
    before = await everything()

    assert await jobs.renew(job) is False
    assert await other.adopt("a", UPSTREAM) is None
    with pytest.raises(Fenced):
        await jobs.mark_uncertain(job, "lost")
    assert await everything() == before


async def test_the_longest_lapsed_come_first_and_no_more_than_asked_for(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    for job_id in "abc":
        await bring(order(job_id, job_id), "reserved")
    await redis.zadd(keyspace.open_jobs(UPSTREAM), {"a": 3, "b": 1, "c": 2})

    assert await jobs.lapsed(UPSTREAM, 2) == ["b", "c"]


async def test_an_anomaly_is_noted_until_fals_id_is_known(
    jobs: Jobs, order: Orders, bring: Brings
) -> None:
    job = await bring(order(), "submitting")
    await jobs.mark_uncertain(job, "lost")
    uncertain = await jobs.read("a")
    assert uncertain is not None
    assert uncertain.trouble == "lost"

    await jobs.accept(job, "fal-1")

    accepted = await jobs.read("a")
    assert accepted is not None
    assert accepted.trouble == ""

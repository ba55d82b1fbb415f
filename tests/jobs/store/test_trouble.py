"""Trouble: since when a job has been in it, and what ends it."""

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace

Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]


async def test_trouble_dates_from_its_first_word(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    job = await bring(order(), "submitting")
    await jobs.mark_uncertain(job, "lost")
    await redis.hset(keyspace.job("a"), "troubled_ms", "7")

    await jobs.mark_uncertain(job, "lost")

    troubled = await jobs.read("a")
    assert troubled is not None
    assert (troubled.trouble, troubled.troubled_ms) == ("lost", 7)


async def test_fals_id_ends_the_trouble(jobs: Jobs, order: Orders, bring: Brings) -> None:
    job = await bring(order(), "submitting")
    await jobs.mark_uncertain(job, "lost")

    await jobs.accept(job, "fal-1")

    accepted = await jobs.read("a")
    assert accepted is not None
    assert (accepted.trouble, accepted.troubled_ms) == ("", 0)


async def test_a_settlement_ends_the_trouble(jobs: Jobs, order: Orders, bring: Brings) -> None:
    job = await bring(order(), "accepted")
    await jobs.mark_uncertain(job, "lost")

    await jobs.settle(job, Settlement(state="paid", charge=60), {"images": []})

    paid = await jobs.read("a")
    assert paid is not None
    assert (paid.trouble, paid.troubled_ms) == ("", 0)


async def test_a_refusal_whose_words_are_gone_is_still_no_purchase_given_up(
    jobs: Jobs, order: Orders, bring: Brings, redis: Redis
) -> None:
    busy = Settlement(state="released", charge=0, answer=FalAnswer(429, {"detail": "busy"}, {}))
    await jobs.settle(await bring(order(), "submitting"), busy)
    await redis.delete(keyspace.refusal("a"))

    released = await jobs.read("a")

    assert released is not None
    assert released.answer is not None
    assert released.answer.status == 504

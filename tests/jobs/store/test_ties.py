"""What happens within one millisecond of Redis's clock, and who wakes up too late."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core.picture import Kept
from falgate.jobs.job import Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.pictures.catalogue import NewPicture
from falgate.pictures.store.catalogue import Catalogue
from falgate.redis import keyspace, picture_keys
from falgate.redis.script import Script

UPSTREAM = "https://queue.example"
KEPT = Kept(sha256="a" * 64, content_type="image/png", size_bytes=9, width=1, height=1, opaque=True)


@pytest.fixture
async def catalogue(redis: Redis) -> Catalogue:
    """Has one picture."""
    made = Catalogue(redis)
    filing = NewPicture(kept=KEPT, value=1, app="t/p", prompt_sha256="s", fingerprint="f")
    assert await made.register(filing)
    return made


async def used_in_the_millisecond_of_its_mark(redis: Redis) -> None:
    picture: Any = picture_keys.picture(KEPT.name)
    marked_ms = await redis.hget(picture, "marked_ms")
    assert marked_ms is not None
    await redis.hset(picture, "used_ms", marked_ms)


async def test_a_picture_used_in_the_millisecond_before_it_was_marked_may_go(
    catalogue: Catalogue, redis: Redis
) -> None:
    assert await catalogue.mark(KEPT.name, forced=True)
    await used_in_the_millisecond_of_its_mark(redis)

    assert await catalogue.confirm(KEPT.name)


async def test_a_picture_used_in_the_millisecond_after_it_was_marked_stays(
    catalogue: Catalogue, redis: Redis
) -> None:
    assert await catalogue.mark(KEPT.name, forced=True)
    await catalogue.use({(KEPT.name, "t/a"): 1})
    await used_in_the_millisecond_of_its_mark(redis)

    assert not await catalogue.confirm(KEPT.name)
    assert await catalogue.mark(KEPT.name, forced=True)
    assert await catalogue.confirm(KEPT.name)


async def test_a_picture_brought_again_is_marked_anew_by_its_next_uses(
    catalogue: Catalogue, redis: Redis
) -> None:
    assert await catalogue.mark(KEPT.name, forced=True)
    await redis.hincrby(picture_keys.picture(KEPT.name), "marked_ms", -61_000)
    filing = NewPicture(kept=KEPT, value=1, app="t/p", prompt_sha256="s", fingerprint="f")
    assert await catalogue.register(filing)

    assert await redis.hmget(picture_keys.picture(KEPT.name), ["marked_ms", "marked_uses"]) == [
        None,
        None,
    ]
    assert not await catalogue.confirm(KEPT.name)


async def test_whose_patience_ends_in_this_millisecond_waits_no_more(redis: Redis) -> None:
    script = Script("requests_end")
    named: dict[str, Any] = dict.fromkeys(
        ("request_id", "job", "outcome", "repeatable", "webhook", "subject", "upstream"), ""
    )
    keys = {
        "request": keyspace.request("r"),
        "pending": keyspace.pending(UPSTREAM),
        "answered": keyspace.answered(UPSTREAM),
        "idempotency": keyspace.idempotency("i"),
        "delivery": keyspace.delivery("r"),
        "due": keyspace.deliveries("waiting"),
    }
    # Planted behind the script's own look at the clock: one patience ends at that very time.
    look = "local now = now_ms()\n"
    planted = """redis.call('ZADD', waiters, whole(now), 'other', whole(now + 1), 'another')
      redis.call('EXPIRE', waiters, 60)
    """
    text = script.text.replace(look, look + planted, 1)
    await redis.hset(keys["request"], mapping={"state": "open", "job": "", "flight": "f"})
    arguments = {**named, "request_id": "r", "state": "done", "outcome": "null", "wake": "w"}
    arguments["waiters_prefix"] = keyspace.waiters("")
    order = ("request_id", "job", "state", "outcome", "repeatable", "wake", "webhook",
             "subject", "upstream", "waiters_prefix")  # fmt: skip

    others: Any = await redis.eval(
        text, len(keys), *keys.values(), *(arguments[name] for name in order)
    )

    assert others == 1


class Sleeper(Jobs):
    """Falls asleep when it has taken a job over, for longer than its lease."""

    asleep: Callable[[], Awaitable[None]]

    async def read(self, job_id: str) -> Job | None:
        """A job, too late."""
        await self.asleep()
        return await super().read(job_id)


async def test_who_sleeps_through_the_lease_of_what_it_adopted_does_not_have_it(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    lapse: Callable[[str], Awaitable[None]],
) -> None:
    await bring(order(), "reserved")
    await lapse("a")
    sleeper, other = jobs_of("sleeper", Sleeper), jobs_of("other")
    assert isinstance(sleeper, Sleeper)

    async def asleep() -> None:
        await lapse("a")
        adopted = await other.adopt("a", UPSTREAM)
        assert adopted is not None
        assert adopted.epoch == 3

    sleeper.asleep = asleep

    assert await sleeper.adopt("a", UPSTREAM) is None

"""Redis's clock is the one that every instance shows and signs by, whatever its machine's says."""

from redis.asyncio import Redis

from falgate.accounts.store.registry import Registry
from falgate.http.picture_urls import PictureUrls
from falgate.money.store.ledger import Ledger
from falgate.money.store.trust import Trust
from falgate.redis.clock import Clock

HOUR_MS = 3_600_000


class Nothing:
    """A picture store without a picture."""

    async def size(self, name: str) -> int | None:
        """None of it."""
        return None if name else 0

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """None of it."""
        return None if name else b""[start:end]


async def an_hour_off(redis: Redis) -> Clock:
    clock = Clock()
    seconds, _ = await redis.time()
    clock.note(int(seconds) * 1000 + HOUR_MS)
    return clock


async def off_s(redis: Redis, clock: Clock) -> int:
    seconds, _ = await redis.time()
    return abs(clock.now_s() - int(seconds))


async def test_a_key_that_is_looked_up_brings_the_clock_along(redis: Redis) -> None:
    clock = await an_hour_off(redis)
    assert await off_s(redis, clock) > 3_000

    await Registry(redis, clock=clock).key("k")

    assert await off_s(redis, clock) < 60


async def test_it_is_kept_fresh_where_nobody_asks(
    redis: Redis, ledger: Ledger, ledger_id: str
) -> None:
    clock = await an_hour_off(redis)
    assert (await ledger.standing()).ledger_id == ledger_id

    await Trust(redis, ledger_id, weak=False, clock=clock).look()

    assert await off_s(redis, clock) < 60


async def test_a_link_of_one_instance_is_good_at_another(redis: Redis) -> None:
    galleries = []
    for _ in range(2):
        clock = await an_hour_off(redis)
        await Registry(redis, clock=clock).key("k")
        galleries.append(PictureUrls(Nothing(), now_s=clock.now_s, secret=b"s", ttl_s=600))
    url = galleries[0].url("http://here", "a.png")

    expires, signature = (part.partition("=")[2] for part in url.partition("?")[2].split("&"))

    left_s = galleries[1].left_s("a.png", expires, signature)
    assert left_s is not None
    assert 500 < left_s < 800

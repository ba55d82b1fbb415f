"""Webhooks in Redis: begun once, claimed by one, settled by who has the claim, swept in a week."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.store.registry import Registry
from falgate.redis import keyspace
from falgate.webhooks.delivery import Claimed, Delivery
from falgate.webhooks.store.deliveries import Deliveries

Begin = Callable[..., None]
WAITING = keyspace.deliveries("waiting")


@pytest.fixture
def deliveries(redis: Redis) -> Deliveries:
    return Deliveries(redis)


@pytest.fixture
def begin(url: str, redis: Redis, enqueue: Begin) -> Begin:
    """Ends a request by its id; then where it is to be told, and whose it was."""
    assert redis is not None
    return lambda request_id, **more: enqueue(url, request_id, **more)


@pytest.fixture
def lapse_claim(redis: Redis) -> Callable[[str], Awaitable[None]]:
    """Lets a claim run out, or brings forward what waits."""

    async def lapse(request_id: str) -> None:
        assert await redis.zadd(WAITING, {request_id: 1}, xx=True, ch=True)

    return lapse


async def claimed(deliveries: Deliveries, number: int = 10, **more: Any) -> list[Claimed]:
    return await deliveries.claim(number, more.get("each", 10), more.get("busy", {}))


async def only(deliveries: Deliveries) -> Claimed:
    [one] = await claimed(deliveries)
    return one


async def read(deliveries: Deliveries, request_id: str = "r") -> Delivery:
    found = await deliveries.read(request_id)
    assert found is not None
    return found


async def test_a_webhook_begins_with_the_end_of_its_request(
    deliveries: Deliveries, begin: Begin
) -> None:
    begin("r", url="https://hooks.example/a?b", subject="web/shop", upstream="fal")

    found = await read(deliveries)

    assert (found.url, found.subject, found.upstream) == (
        "https://hooks.example/a?b",
        "web/shop",
        "fal",
    )
    assert (found.state, found.attempts, found.said) == ("waiting", 0, "")
    assert found.due_ms == found.began_ms > 0
    assert await deliveries.read("another") is None


async def test_the_same_end_begins_one_webhook(
    deliveries: Deliveries, begin: Begin, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    begin("r", url="https://one.example")
    once = await everything()
    begin("r", url="https://two.example")

    assert await everything() == once
    assert len(await claimed(deliveries)) == 1


async def test_a_claim_counts_an_attempt_and_keeps_others_away(
    deliveries: Deliveries, begin: Begin, redis: Redis
) -> None:
    begin("r")
    first = await only(deliveries)

    assert (first.delivery.request_id, first.delivery.attempts) == ("r", 1)
    assert first.until_ms // 1000 - first.now_s in {59, 60, 61}
    assert await claimed(Deliveries(redis)) == []


async def test_of_many_that_ask_at_once_one_gets_a_webhook(redis: Redis, begin: Begin) -> None:
    for number in range(10):
        begin(f"r{number}")

    found = await asyncio.gather(*(claimed(Deliveries(redis), 3) for _ in range(10)))

    ids = [each.delivery.request_id for page in found for each in page]
    assert sorted(ids) == [f"r{number}" for number in range(10)]
    assert max(map(len, found)) == 3


async def test_a_claim_that_lapsed_is_another_s(
    redis: Redis, deliveries: Deliveries, begin: Begin
) -> None:
    begin("r")
    short = Deliveries(redis, lease_ms=0)

    first, second = await only(short), await only(deliveries)

    assert second.delivery.attempts == 2
    assert not await short.settle(first, "failed", "ConnectError")
    assert not await short.settle(first, "waiting", "ConnectError", after_ms=5)
    assert (await read(deliveries)).due_ms == second.until_ms
    assert await deliveries.settle(second, "failed", "500")


async def test_that_it_arrived_counts_whoever_knows_it(
    redis: Redis, deliveries: Deliveries, begin: Begin
) -> None:
    begin("r")
    short = Deliveries(redis, lease_ms=0)
    first, second = await only(short), await only(deliveries)

    assert await short.settle(first, "delivered", "200")
    assert not await deliveries.settle(second, "waiting", "500", after_ms=5)
    assert (await read(deliveries)).state == "delivered"


async def test_what_did_not_arrive_waits_for_its_next_attempt(
    deliveries: Deliveries, begin: Begin
) -> None:
    begin("r")

    assert await deliveries.settle(await only(deliveries), "waiting", "503", after_ms=15_000)

    found = await read(deliveries)
    assert (found.state, found.said, found.attempts) == ("waiting", "503", 1)
    assert found.due_ms == found.tried_ms + 15_000
    assert await claimed(deliveries) == []


@pytest.mark.parametrize("state", ["delivered", "failed"])
async def test_what_has_ended_is_not_claimed_and_is_kept(
    state: Any, deliveries: Deliveries, begin: Begin
) -> None:
    begin("r")
    one = await only(deliveries)

    assert await deliveries.settle(one, state, "200")
    assert not await deliveries.settle(one, state, "200")

    found = await read(deliveries)
    assert (found.state, found.said, found.due_ms) == (state, "200", 0)
    assert found.ended_ms == found.tried_ms > 0
    assert await claimed(deliveries) == []


async def test_an_app_that_has_many_under_way_does_not_keep_others(
    deliveries: Deliveries, begin: Begin
) -> None:
    for number in range(5):
        begin(f"slow{number}", subject="web/slow")
    begin("fast", subject="web/fast")

    found = await claimed(deliveries, each=3, busy={"web/slow": 1})

    assert [one.delivery.subject for one in found].count("web/slow") == 2
    assert found[-1].delivery.request_id == "fast"
    passed = await read(deliveries, "slow4")
    assert (passed.attempts, passed.due_ms) == (0, passed.began_ms)


async def test_many_of_one_app_make_way_for_who_stands_behind_them(
    deliveries: Deliveries, begin: Begin
) -> None:
    for number in range(300):
        begin(f"slow{number:03}", subject="web/slow")
    begin("zzz", subject="web/fast")
    busy = {"web/slow": 10}

    assert await claimed(deliveries, busy=busy) == []
    [one] = await claimed(deliveries, busy=busy)

    assert one.delivery.request_id == "zzz"
    aside = await read(deliveries, "slow299")
    assert aside.attempts == 0
    assert 0 < aside.due_ms - one.now_s * 1000 < 3_000


async def test_what_redis_lost_is_passed_over(
    deliveries: Deliveries, begin: Begin, redis: Redis
) -> None:
    begin("lost")
    begin("r")
    await redis.delete(keyspace.delivery("lost"))

    assert [one.delivery.request_id for one in await claimed(deliveries)] == ["r"]
    assert await redis.zscore(WAITING, "lost") is None


@pytest.mark.parametrize("state", ["delivered", "failed", "waiting"])
async def test_a_webhook_is_sent_again_from_the_start_and_that_is_written_down(
    state: Any, deliveries: Deliveries, begin: Begin, redis: Redis
) -> None:
    begin("r")
    await deliveries.settle(await only(deliveries), state, "500", after_ms=60_000)

    assert await deliveries.resend("r", "admin:jo")
    assert await deliveries.resend("r", "admin:jo")

    found = await read(deliveries)
    assert (found.state, found.attempts, found.ended_ms) == ("waiting", 0, 0)
    [line] = [each async for each in Registry(redis).audit()]
    assert (line.who, line.action, line.subject) == ("admin:jo", "delivery", "r")
    assert line.before == f'{{"state":"{state}","attempts":1}}'
    assert (await only(deliveries)).delivery.attempts == 1


async def test_a_webhook_that_is_not_there_is_not_sent_again(
    deliveries: Deliveries, redis: Redis
) -> None:
    assert not await deliveries.resend("r", "admin")
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("state", ["delivered", "failed"])
async def test_a_week_after_its_end_a_webhook_is_forgotten(
    state: Any, deliveries: Deliveries, begin: Begin, redis: Redis
) -> None:
    begin("r")
    begin("waits")
    ended = [one for one in await claimed(deliveries) if one.delivery.request_id == "r"]
    await deliveries.settle(ended[0], state, "200")
    week_later_ms = (await read(deliveries)).ended_ms + keyspace.DELIVERY_KEPT_S * 1000

    assert await deliveries.sweep() == 0
    assert await deliveries.sweep(week_later_ms) == 0
    assert await deliveries.sweep(week_later_ms + 1) == 1

    assert await deliveries.read("r") is None
    left = {key async for key in redis.scan_iter()}
    assert left == {WAITING, keyspace.delivery("waits")}

"""Webhooks from Redis to a receiver: signed, again and again, by whichever instance is there."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.telemetry.metrics import Metrics
from falgate.webhooks.delivery import Delivery
from falgate.webhooks.store.deliveries import Deliveries
from falgate.webhooks.worker import WebhookWorker

Instance = Callable[..., AbstractAsyncContextManager[WebhookWorker]]
Until = Callable[..., Any]
WAITING = keyspace.deliveries("waiting")


@pytest.fixture
def end(redis_url: str, redis: Redis, receiver: Any, enqueue: Any) -> Callable[..., None]:
    """Ends a request whose caller wants to be told, at the receiver unless elsewhere."""
    assert redis is not None
    return lambda request_id, url="": enqueue(redis_url, request_id, url or receiver.url)


End = Callable[..., None]


@pytest.fixture
def state(redis: Redis) -> Callable[[str], Any]:
    async def read(request_id: str) -> Delivery | None:
        return await Deliveries(redis).read(request_id)

    return read


@pytest.fixture
def come_due(redis: Redis) -> Callable[[str], Any]:
    """Lets the time pass until a webhook is due again, or its claim has lapsed."""

    async def passed(request_id: str) -> None:
        assert await redis.zadd(WAITING, {request_id: 1}, xx=True, ch=True)

    return passed


async def settled(state: Any, request_id: str, found: str) -> bool:
    read = await state(request_id)
    return read is not None and read.state == found


async def test_a_receiver_that_follows_fal_s_recipe_believes_it(
    *, instance: Instance, receiver: Any, end: End, until: Until, keys: Any, accepts: Any
) -> None:
    async with instance() as delivering:
        end("r-1")
        delivering.wake()
        await until(lambda: receiver.came)

    [(headers, body)] = receiver.came
    assert accepts(keys, headers, body)
    assert not accepts(keys, headers, body + b" ")
    assert not accepts(keys, {**headers, "x-fal-webhook-request-id": "r-2"}, body)
    assert headers["x-fal-webhook-request-id"] == "r-1"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "request_id": "r-1",
        "gateway_request_id": "r-1",
        "status": "OK",
        "error": None,
        "payload": {"images": [{"url": "https://x"}]},
    }


async def test_it_is_tried_again_until_it_is_taken(
    *, instance: Instance, receiver: Any, end: End, until: Until, state: Any, come_due: Any
) -> None:
    receiver.answers = [500, 302]
    end("r-1")
    async with instance() as delivering:
        for said, attempts in (("500", 1), ("302", 2)):

            async def failed(said: str = said, attempts: int = attempts) -> bool:
                read = await state("r-1")
                return (read.said, read.attempts, read.state) == (said, attempts, "waiting")

            await until(failed)
            await come_due("r-1")
            delivering.wake()

        async def arrived() -> bool:
            return await settled(state, "r-1", "delivered")

        await until(arrived)

    assert len(receiver.came) == 3
    assert (await state("r-1")).attempts == 3


async def test_what_an_instance_died_with_another_delivers(
    *, instance: Instance, receiver: Any, end: End, until: Until, state: Any, come_due: Any
) -> None:
    receiver.open.clear()
    end("r-1")
    async with instance():
        await until(lambda: receiver.came)
    receiver.open.set()
    left = await state("r-1")
    assert (left.state, left.attempts) == ("waiting", 1)

    async with instance():
        # Not before the claim of the dead one has lapsed.
        end("r-2")

        async def second() -> bool:
            return await settled(state, "r-2", "delivered")

        await until(second)
        assert len(receiver.came) == 2
        await come_due("r-1")

        async def first() -> bool:
            return await settled(state, "r-1", "delivered")

        await until(first)

    assert [came.headers["x-fal-webhook-request-id"] for came in receiver.came] == [
        "r-1",
        "r-2",
        "r-1",
    ]


async def test_two_instances_send_each_once(
    *,
    instance: Instance, receiver: Any, end: End, until: Until, redis: Redis, accepts: Any,
    keys: Any,
) -> None:  # fmt: skip
    names = [f"r-{number}" for number in range(40)]
    async with instance() as one, instance() as two:
        for name in names:
            end(name)
            one.wake()
            two.wake()

        async def all_arrived() -> bool:
            return bool(await redis.zcard(keyspace.deliveries("delivered")) == len(names))

        await until(all_arrived)

    came = [each.headers["x-fal-webhook-request-id"] for each in receiver.came]
    assert sorted(came) == sorted(names)
    # Signed with the same key by both.
    assert all(accepts(keys, each.headers, each.body) for each in receiver.came)


async def test_one_that_has_nothing_to_tell_any_more_is_given_up(
    *, instance: Instance, receiver: Any, end: End, until: Until, state: Any, kept: Any
) -> None:
    kept.gone.add("r-1")
    end("r-1")
    async with instance():

        async def failed() -> bool:
            return await settled(state, "r-1", "failed")

        await until(failed)

    assert (receiver.came, (await state("r-1")).said) == ([], "ResultGone")


async def test_one_that_arrived_is_sent_again_when_an_operator_asks(
    *, instance: Instance, receiver: Any, end: End, until: Until, state: Any, redis: Redis
) -> None:
    end("r-1")
    async with instance() as delivering:

        async def arrived() -> bool:
            return await settled(state, "r-1", "delivered")

        await until(arrived)
        assert await Deliveries(redis).resend("r-1", "admin")
        delivering.wake()
        await until(lambda: len(receiver.came) == 2)
        await until(arrived)

    first, second = receiver.came
    assert first.body == second.body


@pytest.mark.parametrize("changes", [{"webhook_targets": ""}, {"webhook_allow_http": False},
                                     {"webhook_targets": "hooks.example"}])  # fmt: skip
async def test_rules_that_were_changed_meanwhile_count(
    *,
    changes: dict[str, Any],
    instance: Instance,
    receiver: Any,
    end: End,
    until: Until,
    state: Any,
) -> None:
    end("r-1")
    async with instance(**changes):

        async def refused() -> bool:
            return bool((await state("r-1")).said == "TargetRefused")

        await until(refused)

    assert receiver.came == []


async def test_attempts_are_counted_by_what_came_of_them(
    instance: Instance, receiver: Any, end: End, until: Until, metrics: Metrics
) -> None:
    receiver.answers = [503]
    end("r-1")
    async with instance():
        await until(lambda: metrics.webhooks[("later",)])
        end("r-2")
        await until(lambda: metrics.webhooks[("delivered",)])

    shown = metrics.render([]).decode()
    assert 'falgate_webhook_deliveries_total{outcome="later"} 1.0' in shown
    assert 'falgate_webhook_deliveries_total{outcome="delivered"} 1.0' in shown

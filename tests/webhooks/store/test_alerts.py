"""Alerts: each is taken by one instance, and by another when that one does not get done with it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from falgate.core.events import Alert, Alerted, ModelAlerted
from falgate.jobs.job import Job, Order
from falgate.redis import keyspace
from falgate.webhooks.store.alerts import Alerts

UPSTREAM = "https://queue.example"
AT_ONCE, LATER = (0,), (3_600,)


@pytest.fixture
def alerts(redis: Redis) -> Alerts:
    return Alerts(redis, "one")


@pytest.fixture
async def crossed(
    limit: Callable[..., Awaitable[None]],
    bring: Callable[..., Awaitable[Job]],
    order: Callable[..., Order],
) -> None:
    """A purchase took the organisation's day to 6 % of its limit."""
    await limit(1_000, "day", alerts=(5, 80))
    await bring(order(), "paid", charge=60)


@pytest.mark.usefixtures("crossed")
async def test_a_threshold_that_was_crossed_is_taken_once(alerts: Alerts, redis: Redis) -> None:
    [alert] = await alerts.new()

    assert isinstance(alert, Alerted)
    assert (alert.upstream, alert.account, alert.level) == (
        UPSTREAM,
        "organisation:main",
        "organisation",
    )
    assert (alert.percent, alert.limit, alert.spent) == (5, 1_000, 60)
    assert alert.window.startswith("day:")
    assert not await alerts.new()
    assert not await Alerts(redis, "two").new()


@pytest.mark.usefixtures("crossed")
async def test_what_is_done_with_is_gone(alerts: Alerts, redis: Redis) -> None:
    [alert] = await alerts.new()

    await alerts.done(alert)
    await alerts.done(alert)

    assert not await alerts.again(AT_ONCE)
    assert await redis.xlen(keyspace.ALERTS) == 0


@pytest.mark.usefixtures("crossed")
async def test_what_nobody_got_done_with_is_taken_by_another(alerts: Alerts, redis: Redis) -> None:
    taken = await alerts.new()
    other = Alerts(redis, "two")

    assert not await other.again(LATER)
    assert await other.again(AT_ONCE) == taken


@pytest.mark.usefixtures("crossed")
async def test_pauses_grow_with_the_number_of_times(alerts: Alerts) -> None:
    await alerts.new()

    assert await alerts.again((0, 3_600))
    assert not await alerts.again((0, 3_600))
    assert await alerts.again((0, 0))


@pytest.mark.usefixtures("crossed")
async def test_of_two_that_ask_at_once_one_gets_it(alerts: Alerts, redis: Redis) -> None:
    await alerts.new()
    pending: list[Alert] = []
    pauses = (1,)
    # Idle for long, as after its instance died.
    page: Any = await redis.xrange(keyspace.ALERTS)
    await redis.xclaim(keyspace.ALERTS, "tellers", "dead", 0, [page[0][0]], idle=5_000)

    for name in ("two", "three"):
        pending += await Alerts(redis, name).again(pauses)

    assert len(pending) == 1


async def test_what_was_dropped_from_the_queue_is_no_alert(
    alerts: Alerts, redis: Redis, crossed: None
) -> None:
    del crossed
    await alerts.new()
    await redis.xtrim(keyspace.ALERTS, maxlen=0, approximate=False)

    assert not await alerts.again(AT_ONCE)


async def test_an_exhausted_balance_is_one_alert_an_hour_whoever_tells(
    alerts: Alerts, redis: Redis
) -> None:
    await alerts.warn(UPSTREAM)
    await alerts.warn(UPSTREAM)
    await Alerts(redis, "two").warn(UPSTREAM)

    [alert] = await alerts.new()
    assert (alert.what, alert.upstream) == ("balance", UPSTREAM)
    await alerts.done(alert)

    await redis.delete(keyspace.alert_turn(UPSTREAM))  # An hour is over.
    await alerts.warn(UPSTREAM)
    assert len(await alerts.new()) == 1


async def test_an_alert_about_a_model_is_queued_once_and_read_as_it_was(alerts: Alerts) -> None:
    model = ModelAlerted(
        alert="",
        upstream=UPSTREAM,
        model="acme/easel",
        what="retires",
        retires="2026-12-01",
        days_left=7,
        successor="",
        apps=("web/shop",),
    )

    assert not await alerts.told("acme/easel 7")
    assert await alerts.once("acme/easel 7", model)
    assert not await alerts.once("acme/easel 7", model)
    assert await alerts.told("acme/easel 7")
    assert await alerts.once("acme/easel gone", replace(model, what="gone", apps=()))
    first, second = await alerts.new()
    assert replace(first, alert="") == model
    assert replace(second, alert="") == replace(model, what="gone", apps=())


async def test_one_instance_at_a_time_looks_after_models(alerts: Alerts, redis: Redis) -> None:
    assert await alerts.turn("all", 60)
    assert not await Alerts(redis, "two").turn("all", 60)
    assert await Alerts(redis, "two").turn("acme/easel", 60)

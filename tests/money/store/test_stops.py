"""Stops in Redis: put as they were read, with a line of the audit log each."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core.account import ORGANISATION, Account
from falgate.core.errors import Unavailable
from falgate.money.stop import Stop, Stopped
from falgate.money.store.stops import Stops
from falgate.redis import keyspace
from falgate.redis.client import connect

TEAM, APP, MODEL = Account("team", "web"), Account("app", "web/shop"), Account("model", "a/b")
STOP = Stop(who="admin:ann", stopped_s=7, why="a leak")


@pytest.fixture
def stops(redis: Redis) -> Stops:
    return Stops(redis)


async def lines(redis: Redis) -> list[dict[str, Any]]:
    found: Any = await redis.xrange(keyspace.AUDIT)
    return [fields for _, fields in found]


async def test_a_stop_is_read_as_it_was_put(stops: Stops) -> None:
    assert await stops.put(TEAM, None, STOP, "admin:ann")

    assert await stops.read(TEAM) == STOP
    assert await stops.read(APP) is None
    assert await stops.all() == [Stopped(TEAM, STOP)]


async def test_stops_are_listed_with_the_widest_first(stops: Stops) -> None:
    other = Account("team", "ads")
    for each in (MODEL, APP, TEAM, other, ORGANISATION):
        await stops.put(each, None, STOP, "admin:ann")

    assert [each.subject for each in await stops.all()] == [ORGANISATION, other, TEAM, APP, MODEL]


async def test_the_first_of_several_is_found(stops: Stops) -> None:
    assert await stops.first([ORGANISATION, TEAM, APP, MODEL]) is None
    await stops.put(MODEL, None, STOP, "admin:ann")
    await stops.put(APP, None, STOP, "admin:ann")

    assert await stops.first([ORGANISATION, TEAM, APP, MODEL]) == Stopped(APP, STOP)
    assert await stops.first([ORGANISATION, TEAM, MODEL]) == Stopped(MODEL, STOP)
    assert await stops.first([ORGANISATION, TEAM]) is None


async def test_a_change_that_came_too_late_does_nothing(stops: Stops, redis: Redis) -> None:
    await stops.put(TEAM, None, STOP, "admin:ann")
    late = Stop(who="admin:bob", stopped_s=9)

    for was in (None, late):
        assert not await stops.put(TEAM, was, Stop(who="admin:bob", stopped_s=10), "admin:bob")

    assert await stops.read(TEAM) == STOP
    assert len(await lines(redis)) == 1


async def test_each_change_is_in_the_audit_log_once(stops: Stops, redis: Redis) -> None:
    changed = Stop(who="admin:ann", stopped_s=7, why="it was no leak")
    for _ in range(2):
        assert await stops.put(TEAM, None, STOP, "admin:ann")
    for was, now in ((STOP, changed), (changed, None)):
        for _ in range(2):
            assert await stops.put(TEAM, was, now, "admin:bob")

    found = await lines(redis)
    assert [(each["who"], each["action"], each["subject"]) for each in found] == [
        ("admin:ann", "stop", "team:web"),
        ("admin:bob", "stop", "team:web"),
        ("admin:bob", "stop", "team:web"),
    ]
    assert json.loads(found[1]["before"])["why"] == "a leak"
    assert json.loads(found[1]["after"])["why"] == "it was no leak"
    assert found[2]["after"] == ""
    assert await stops.all() == []


async def test_without_redis_nobody_knows_what_is_stopped(closed_port_url: str) -> None:
    async with connect(closed_port_url) as nobody:
        for step in (Stops(nobody).all, lambda: Stops(nobody).first([ORGANISATION])):
            with pytest.raises(Unavailable):
                await step()

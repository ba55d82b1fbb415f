"""Lists of webhooks: in pages that lose nothing, by state and by app."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.webhooks.delivery import STATES, Place, State
from falgate.webhooks.store.deliveries import Deliveries

Begin = Callable[..., None]


@pytest.fixture
def lists(redis: Redis) -> Deliveries:
    return Deliveries(redis)


@pytest.fixture
async def put(url: str, redis: Redis, enqueue: Begin) -> Callable[..., Awaitable[None]]:
    """Puts a webhook into a state, at a place there; those that wait last."""

    async def placed(request_id: str, state: State, at_ms: int, subject: str = "web/shop") -> None:
        enqueue(url, request_id, subject=subject)
        if state != "waiting":
            [one] = await Deliveries(redis).claim(1, 1, {})
            await Deliveries(redis).settle(one, state, "200")
        await redis.zadd(keyspace.deliveries(state), {request_id: at_ms})

    return placed


Put = Callable[..., Awaitable[None]]


async def walk(
    lists: Deliveries, number: int, states: tuple[State, ...] = STATES, app: str = ""
) -> list[str]:
    """All of a list, page by page."""
    names: list[str] = []
    after: Place | None = None
    while True:
        found, after = await lists.page(states, app, after, number)
        assert len(found) <= number
        names += [each.request_id for each in found]
        if after is None:
            return names


@pytest.mark.parametrize("number", [1, 2, 3, 100])
async def test_what_waits_comes_first_then_what_failed_then_what_arrived(
    number: int, lists: Deliveries, put: Put
) -> None:
    for name, state, at_ms in (
        ("d1", "delivered", 5), ("d2", "delivered", 6), ("f1", "failed", 3), ("f2", "failed", 3),
        ("w1", "waiting", 9_000), ("w2", "waiting", 8_000), ("w3", "waiting", 8_000),
    ):  # fmt: skip
        await put(name, state, at_ms)

    assert await walk(lists, number) == ["w2", "w3", "w1", "f2", "f1", "d2", "d1"]
    assert await walk(lists, number, ("failed",)) == ["f2", "f1"]
    assert await walk(lists, number, ("delivered",)) == ["d2", "d1"]


async def test_only_a_team_s_or_an_app_s_are_listed(lists: Deliveries, put: Put) -> None:
    for at_ms, subject in enumerate(("web/shop", "web/blog", "webs/shop")):
        await put(subject, "waiting", at_ms + 1, subject)

    assert await walk(lists, 1, app="web") == ["web/shop", "web/blog"]
    assert await walk(lists, 1, app="web/shop") == ["web/shop"]
    assert await walk(lists, 1, app="nobody") == []


async def test_more_than_a_chunk_of_the_same_instant_is_listed_once(
    lists: Deliveries, redis: Redis, url: str, enqueue: Begin
) -> None:
    names = [f"r{number:03}" for number in range(250)]
    for name in names:
        enqueue(url, name)
    await redis.zadd(keyspace.deliveries("waiting"), dict.fromkeys(names, 7))

    assert await walk(lists, 99) == names


async def test_what_was_tried_between_two_pages_is_not_left_out(
    lists: Deliveries, redis: Redis, put: Put
) -> None:
    for at_ms, name in enumerate(("a", "b", "c", "d"), 1):
        await put(name, "waiting", at_ms)
    first, after = await lists.page(STATES, "", None, 2)
    claims = await Deliveries(redis).claim(4, 4, {})
    await Deliveries(redis).settle(claims[0], "delivered", "200")
    await Deliveries(redis).settle(claims[2], "failed", "500")
    rest, _ = await lists.page(STATES, "", after, 10)

    assert [each.request_id for each in first] == ["a", "b"]
    assert {each.request_id for each in (*first, *rest)} == {"a", "b", "c", "d"}
    states = {each.request_id: each.state for each in rest}
    assert (states["a"], states["c"]) == ("delivered", "failed")


async def test_what_waits_is_listed_with_when_it_is_due(lists: Deliveries, put: Put) -> None:
    await put("d", "delivered", 5)
    await put("w", "waiting", 8_000)

    (waits, arrived), after = await lists.page(STATES, "", None, 10)

    assert after is None
    assert (waits.due_ms, arrived.due_ms) == (8_000, 0)

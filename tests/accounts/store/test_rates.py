"""Rates of requests: a second's worth at once, over all instances, and when to come again."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.accounts.limits import Exceeded
from falgate.accounts.store.rates import Rates
from falgate.redis import keyspace
from falgate.redis.client import connect

KEY, TEAM, APP = "key:k", "team:t", "app:t/p"


@pytest.fixture
def rates(redis: Redis) -> Rates:
    return Rates(redis)


@pytest.fixture
async def instances(url: str, redis: Redis) -> AsyncIterator[Sequence[Rates]]:
    """Two instances with connections of their own, on a server that was emptied."""
    assert await redis.dbsize() == 0
    clients = [connect(url, timeout_s=TRIP_S) for _ in range(2)]
    yield [Rates(client) for client in clients]
    for client in clients:
        await client.aclose()


@pytest.fixture
def now_ms(redis: Redis) -> Callable[[], Awaitable[float]]:
    """Redis's clock, which decides."""

    async def look() -> float:
        seconds, micros = await redis.time()
        return float(int(seconds) * 1000 + int(micros) / 1000)

    return look


@pytest.fixture
def even_ms(redis: Redis) -> Callable[[str], Awaitable[float]]:
    """When an account is even with its rate again."""

    async def look(account: str) -> float:
        return float(await redis.get(keyspace.rate(account)) or 0)

    return look


@pytest.fixture
def pass_ms(redis: Redis) -> Callable[[str, float], Awaitable[None]]:
    """Lets so much time pass for an account."""

    async def pass_(account: str, by_ms: float) -> None:
        was = float(await redis.get(keyspace.rate(account)) or 0)
        assert await redis.set(keyspace.rate(account), f"{was - by_ms:.3f}", xx=True, keepttl=True)

    return pass_


async def at_once(
    rates: Sequence[Rates], limited: Mapping[str, int], number: int
) -> tuple[int, list[Exceeded]]:
    """Ask so often at once; how many were counted, and what refused the others."""
    asked = (rates[n % len(rates)].take(limited) for n in range(number))
    answers = await asyncio.gather(*asked)
    refused = [answer for answer in answers if answer is not None]
    return number - len(refused), refused


@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_a_burst_of_one_seconds_worth_is_let_through_and_no_more(
    rates: Rates, now_ms: Any, limit: int
) -> None:
    began_ms = await now_ms()

    counted, refused = await at_once([rates], {KEY: limit}, 150)

    # What the clock went on by meanwhile may be used as well, and nothing else.
    meanwhile = math.ceil(limit * (await now_ms() - began_ms + 1) / 1000)
    assert limit <= counted <= limit + meanwhile
    assert {(each.account, each.what, each.limit) for each in refused} == {
        (KEY, "requests_per_second", limit)
    }


async def test_two_instances_share_a_rate(instances: Sequence[Rates], now_ms: Any) -> None:
    began_ms = await now_ms()

    counted, _ = await at_once(instances, {KEY: 20}, 120)

    assert 20 <= counted <= 20 + math.ceil(20 * (await now_ms() - began_ms + 1) / 1000)


async def test_after_the_wait_that_was_told_there_is_room_and_not_before(
    rates: Rates, redis: Redis, now_ms: Any, pass_ms: Any
) -> None:
    each_ms = 1000 / 4
    # Further ahead than a burst can bring it, so that no slow machine lets it through meanwhile.
    ahead_ms = await now_ms() + 20_000
    await redis.set(keyspace.rate(KEY), f"{ahead_ms:.3f}", px=60_000)
    room_ms = ahead_ms + each_ms - 1000

    before_ms = await now_ms()
    refused = await rates.take({KEY: 4})

    assert refused is not None
    assert room_ms - await now_ms() <= refused.retry_after_ms <= room_ms - before_ms + 2
    await pass_ms(KEY, refused.retry_after_ms)
    assert await rates.take({KEY: 4}) is None


async def test_what_was_not_used_of_a_second_is_not_saved_up(
    rates: Rates, now_ms: Any, pass_ms: Any
) -> None:
    assert await rates.take({KEY: 5}) is None
    await pass_ms(KEY, 3_600_000)
    began_ms = await now_ms()

    counted, _ = await at_once([rates], {KEY: 5}, 60)

    assert 5 <= counted <= 5 + math.ceil(5 * (await now_ms() - began_ms + 1) / 1000)


@pytest.mark.parametrize("full", [KEY, APP, TEAM])
async def test_a_request_is_counted_on_no_account_when_one_is_full(
    rates: Rates, redis: Redis, full: str
) -> None:
    limited = {KEY: 1_000, APP: 1_000, TEAM: 1_000} | {full: 1}
    await redis.set(keyspace.rate(full), str(2 * 10**13), px=60_000)

    refused = await rates.take(limited)

    assert refused is not None
    assert (refused.account, refused.limit) == (full, 1)
    others = [keyspace.rate(account) for account in limited if account != full]
    assert await redis.exists(*others) == 0


async def test_a_refused_request_moves_nothing(rates: Rates, even_ms: Any, redis: Redis) -> None:
    await redis.set(keyspace.rate(KEY), str(2 * 10**13), px=60_000)
    before = await even_ms(KEY)

    for _ in range(3):
        assert await rates.take({KEY: 3, TEAM: 3}) is not None

    assert (await even_ms(KEY), await even_ms(TEAM)) == (before, 0)


async def test_accounts_have_rates_of_their_own(rates: Rates, redis: Redis) -> None:
    await redis.set(keyspace.rate(KEY), str(2 * 10**13), px=60_000)

    assert await rates.take({"key:other": 1, TEAM: 1}) is None

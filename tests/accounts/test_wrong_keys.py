"""Wrong keys of one address: what is looked up, what is refused, and what goes on working."""

import os
from collections.abc import Callable
from contextlib import suppress

import pytest

from falgate.accounts.apikey import ID_BYTES, SECRET_BYTES, Presented, mint, present, remint
from falgate.accounts.wrong_keys import WrongKeys
from falgate.core.errors import TooMany

HERE, THERE = "192.0.2.1", "192.0.2.2"


def key() -> Presented:
    found = present(mint("live", os.urandom(ID_BYTES), os.urandom(SECRET_BYTES)))
    assert found is not None
    return found


class World:
    """A clock, a registry, and how often that was read."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.known = frozenset[str]()
        self.read = 0

    async def ids(self) -> frozenset[str]:
        """All that it knows."""
        self.read += 1
        return self.known


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def keys(world: World) -> WrongKeys:
    return WrongKeys(world, lambda: world.now_s)


@pytest.fixture
def spend(keys: WrongKeys) -> Callable[[str], int]:
    """Presents wrong keys from an address until they are refused; how many it were."""

    def spent(address: str) -> int:
        for number in range(10_000):
            try:
                keys.wrong(address)
            except TooMany as refusal:
                return number if refusal.retry_after_s >= 1 else -1
        raise AssertionError(address)

    return spent


async def test_wrong_keys_are_refused_after_a_while_and_read_nothing(
    keys: WrongKeys, world: World, spend: Callable[[str], int]
) -> None:
    assert 50 <= spend(HERE) <= 200

    for _ in range(1_000):
        with pytest.raises(TooMany):
            await keys.check(HERE, key())
    assert world.read == 1
    await keys.check(THERE, key())


async def test_good_keys_of_that_address_go_on_working(
    keys: WrongKeys, world: World, spend: Callable[[str], int]
) -> None:
    opened, new, later = key(), key(), key()
    keys.right(opened)
    world.known = frozenset({new.id})
    spend(HERE)

    await keys.check(HERE, opened)
    await keys.check(HERE, new)
    with pytest.raises(TooMany):
        await keys.check(HERE, later)
    world.known = frozenset({later.id})
    world.now_s += 0.3
    spend(HERE)
    await keys.check(HERE, later)


async def test_a_known_id_with_wrong_secrets_is_refused_too(
    keys: WrongKeys, world: World, spend: Callable[[str], int]
) -> None:
    good = key()
    world.known = frozenset({good.id})
    keys.right(good)
    spend(HERE)
    looked_up = 0

    for _ in range(1_000):
        guess = present(remint("live", good.id, os.urandom(SECRET_BYTES)))
        assert guess is not None
        with suppress(TooMany):
            await keys.check(HERE, guess)
            looked_up += 1
            keys.wrong(HERE, good.id)
    assert looked_up <= 200
    await keys.check(HERE, good)


async def test_time_gives_room_again(world: World, spend: Callable[[str], int]) -> None:
    first = spend(HERE)
    world.now_s += 1

    assert 1 <= spend(HERE) < first
    world.now_s += 3_600
    assert spend(HERE) == first


def test_a_network_of_ipv6_is_one_address(spend: Callable[[str], int]) -> None:
    first = spend("2001:db8::1")

    assert spend("2001:db8::2:3") == 0
    assert spend("2001:db8:0:1::1") == first
    assert spend("fe80::1%eth0") == first


def test_addresses_without_end_are_not_kept(keys: WrongKeys, spend: Callable[[str], int]) -> None:
    first = spend(HERE)
    for number in range(10_000):
        keys.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert spend(HERE) == first


def test_workers_share_what_one_address_may_try(world: World) -> None:
    keys = WrongKeys(world, lambda: world.now_s, workers=4)
    for _ in range(25):
        keys.wrong(HERE)

    with pytest.raises(TooMany):
        keys.wrong(HERE)
    world.now_s += 0.4
    keys.wrong(HERE)
    with pytest.raises(TooMany):
        keys.wrong(HERE)

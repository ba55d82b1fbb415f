"""Values in memory: bounded in bytes, and gone as soon as something that they depend on changes."""

import random

import pytest

from falgate.redis.hot import HotCache

ROOM = 64 * 1024


def put(cache: HotCache[str], name: str, *keys: str, size: int = 0) -> bool:
    """Keep a value that depends on keys."""
    with cache.reading(*(key.encode() for key in keys)) as read:
        return cache.put(name.encode(), name, size, read)


def test_a_value_is_there_until_a_key_changes_that_it_depends_on() -> None:
    cache = HotCache[str](ROOM)
    put(cache, "fox", "app", "pool-1")
    put(cache, "hare", "app", "pool-2")

    cache.changed([b"pool-2", b"unknown"])

    assert (cache.get(b"fox"), cache.get(b"hare")) == ("fox", None)
    cache.changed([b"app"])
    assert cache.get(b"fox") is None
    assert (len(cache), cache.size) == (0, 0)


def test_any_change_may_have_happened_when_nothing_is_known() -> None:
    cache = HotCache[str](ROOM)
    put(cache, "fox", "app")
    with cache.reading(b"app") as read:
        cache.changed(None)
        assert not cache.put(b"hare", "hare", 0, read)
    assert len(cache) == 0


@pytest.mark.parametrize("keys", [[b"app"], [b"pool", b"other"]])
def test_what_was_read_before_a_change_is_not_kept_after_it(keys: list[bytes]) -> None:
    cache = HotCache[str](ROOM)
    with cache.reading(b"app") as read:
        read.of(b"pool")
        cache.changed(keys)
        assert not cache.put(b"fox", "fox", 0, read)
    assert cache.get(b"fox") is None
    assert put(cache, "fox", "app", "pool")


def test_a_change_of_something_else_overtakes_nothing() -> None:
    cache = HotCache[str](ROOM)
    with cache.reading(b"app") as read:
        cache.changed([b"pool"])
        assert cache.put(b"fox", "fox", 0, read)


def test_a_value_that_is_replaced_depends_on_the_new_keys_only() -> None:
    cache = HotCache[str](ROOM)
    put(cache, "fox", "old")
    put(cache, "fox", "new")

    cache.changed([b"old"])

    assert cache.get(b"fox") == "fox"


def test_without_room_what_nobody_asks_for_goes_first() -> None:
    cache = HotCache[str](ROOM)
    for number in range(10):
        put(cache, str(number), "app", size=4_600)
    assert all(cache.get(str(number).encode()) for number in range(0, 10, 2))

    for number in range(10, 14):
        put(cache, str(number), "app", size=4_600)

    assert all(cache.get(str(number).encode()) for number in range(0, 10, 2))
    assert cache.size <= ROOM


def test_where_everything_is_asked_for_only_some_of_it_is_passed_over() -> None:
    """So that one value more costs no walk over all of them."""
    cache = HotCache[str](ROOM)
    names = [str(number) for number in range(40)]
    for name in names:
        put(cache, name, "app", size=ROOM // 40 - 1_000)
    assert all(cache.get(name.encode()) for name in names)

    put(cache, "one more", "app", size=ROOM // 40 - 1_000)

    gone = [name for name in names if cache.get(name.encode()) is None]
    assert gone == ["16"]


def test_a_value_that_would_take_much_of_the_room_is_not_kept() -> None:
    cache = HotCache[str](ROOM)
    put(cache, "fox", "app")
    assert not put(cache, "whale", "app", size=ROOM // 8)
    assert cache.get(b"fox") == "fox"


@pytest.mark.parametrize("seed", range(20))
def test_after_any_steps_only_current_values_are_there_and_the_size_is_theirs(seed: int) -> None:
    """Against a model that remembers every value with its keys, and no bound."""
    chance = random.Random(seed)
    cache, model = HotCache[str](ROOM), dict[str, tuple[set[str], int]]()
    keys = [f"key-{number}" for number in range(6)]
    for _ in range(400):
        name = f"name-{chance.randrange(60)}"
        if chance.random() < 0.6:
            used, size = set(chance.sample(keys, 2)), chance.randrange(4_000)
            if put(cache, name, *used, size=size):
                model[name] = used, size
        elif chance.random() < 0.9:
            gone = chance.choice(keys)
            cache.changed([gone.encode()])
            model = {each: kept for each, kept in model.items() if gone not in kept[0]}
        else:
            cache.drop(name.encode())
            model.pop(name, None)
        there = {each for each in model if cache.get(each.encode())}
        assert len(cache) == len(there)
        assert cache.size <= ROOM
        assert cache.size >= sum(model[each][1] for each in there)
    cache.changed(None)
    assert cache.size == len(cache) == 0

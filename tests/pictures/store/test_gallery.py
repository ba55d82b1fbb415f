"""The gallery: every picture that pools serve, by what it was bought for, in bounded pages."""

from typing import Any

import pytest

from falgate.core.problems import Invalid
from falgate.pictures import gallery as module
from falgate.pictures.catalogue import Sought
from falgate.pictures.words import word_names
from falgate.redis import picture_keys

MODEL = "fal-ai/gpt-image-1.5"


def said(prompt: str) -> dict[str, Any]:
    return {"prompt": prompt, "arguments": {"prompt": prompt}}


def pool(number: int) -> str:
    return f"{number:064x}"


async def bought(world: Any, *names: str) -> None:
    """Let pools have been bought for one after the other: no two in one millisecond."""
    scores = {name: 1_000 + at for at, name in enumerate(names)}
    async for key in world.redis.scan_iter("{fgp}:pools*"):
        known = await world.redis.zrange(key, 0, -1)
        await world.redis.zadd(key, {name: scores[name] for name in known if name in scores})


async def found(world: Any, number: int = 50, **sought: Any) -> list[str]:
    """The names of all pictures, page by page."""
    names: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page, cursor = await world.gallery.page(Sought(**sought), cursor=cursor, number=number)
        assert len(page) <= number
        names += [each.record.name for each in page]
        pages += 1
        assert pages < 100
    return names


async def test_pictures_come_newest_first_whatever_the_page(world: Any) -> None:
    pictures = []
    for number in range(5):
        pictures += [await world.put(f"{number}-{at}", pool(number)) for at in range(3)]
    await bought(world, *map(pool, range(5)))
    names = [each.name for each in reversed(pictures)]

    for number in (1, 2, 3, 4, 15, 50):
        assert await found(world, number) == names


async def test_pools_of_one_millisecond_are_all_shown(world: Any) -> None:
    pictures = [await world.put(str(number), pool(number)) for number in range(7)]
    await world.redis.zadd(picture_keys.POOLS, dict.fromkeys(map(pool, range(7)), 5))

    for number in (1, 3, 50):
        assert set(await found(world, number)) == {each.name for each in pictures}


async def test_they_are_found_by_all_that_is_asked_together(world: Any) -> None:
    cat = await world.put("cat", pool(1), **said("A black Cat"), app="web/shop")
    dog = await world.put("dog", pool(2), **said("a black dog"), app="web/blog")
    mine = await world.put("mine", pool(3), prompt="a black cat", app="ops/tools")
    await bought(world, pool(1), pool(2), pool(3))

    assert await found(world) == [mine.name, dog.name, cat.name]
    assert await found(world, words="black") == [dog.name, cat.name]
    assert await found(world, words="CAT black!") == [cat.name]
    assert await found(world, words="cat dog") == []
    assert await found(world, words="horse") == []
    assert await found(world, team="web") == [dog.name, cat.name]
    assert await found(world, app="web/blog") == [dog.name]
    assert await found(world, team="web", app="web/shop", words="a") == [cat.name]
    assert await found(world, endpoint=MODEL, team="ops") == [mine.name]
    assert await found(world, endpoint="fal-ai/none") == []
    assert await found(world, width=8, height=8, words="dog") == [dog.name]
    assert await found(world, width=9) == []
    assert await found(world, quality="low") == []
    assert await found(world, from_ms=1_001, until_ms=1_002) == [dog.name]
    with pytest.raises(Invalid, match="words"):
        await found(world, words="?!")


async def test_only_pinned_pictures_are_found_as_pinned(world: Any) -> None:
    one, two = await world.put("one", pool(1)), await world.put("two", pool(1))
    await world.put("other", pool(2))
    assert await found(world, pinned=True) == []

    for each in (one, two):
        await world.catalogue.pin(each.name, pinned=True)
    await world.catalogue.pin(one.name, pinned=False)

    assert await found(world, pinned=True) == [two.name]


async def test_what_no_pool_serves_is_not_shown(world: Any) -> None:
    gone, expired = await world.put("gone", pool(1)), await world.put("old", pool(2), until_s=9)
    await world.pools.remove(pool(1), {gone.sha256})

    assert await found(world) == []
    shown = await world.gallery.picture(await world.record(gone), [pool(1)])
    assert (shown.picture, shown.pool.fingerprint) == (None, pool(1))
    assert (await world.gallery.picture(await world.record(expired), [pool(2)])).picture is None


async def test_a_picture_of_several_pools_is_shown_once(world: Any) -> None:
    one = await world.put("one", pool(1))
    await world.put("one", pool(2))

    page, cursor = await world.gallery.page(Sought(), number=9)

    assert [each.record.name for each in page] == [one.name]
    assert cursor == ""


async def test_a_page_is_short_rather_than_slow(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WALKED_AT_ONCE", 3)
    monkeypatch.setattr(module, "_POOLS_MAX", 6)
    monkeypatch.setattr(module, "_PICTURES_MAX", 4)
    wanted = await world.put("wanted", pool(0), **said("a cat with a hat"))
    for number in range(1, 20):
        await world.put(str(number), pool(number), **said("a cat"))
        await world.put(f"hat {number}", pool(100 + number), **said("hat"))
    await bought(world, *map(pool, range(200)))

    page, cursor = await world.gallery.page(Sought(words="cat hat"), number=3)
    assert (page, bool(cursor)) == ([], True)
    assert await found(world, 3, words="cat hat") == [wanted.name]
    short, cursor = await world.gallery.page(Sought(width=9), number=2)
    assert (short, bool(cursor)) == ([], True)
    assert await found(world, 3, width=9) == []


async def test_a_cursor_that_nobody_gave_is_refused(world: Any) -> None:
    with pytest.raises(Invalid, match="next_cursor"):
        await world.gallery.page(Sought(), cursor="1-2-3", number=1)
    assert await world.gallery.page(Sought(), cursor=f"9-5-{pool(1)}-0", number=1) == ([], "")


async def test_words_are_kept_as_long_as_the_prompt(world: Any) -> None:
    key = picture_keys.pools_with(*word_names("secret"))
    await world.put("one", pool(1), **said("secret"))
    await world.put("two", pool(2), prompt="secret")
    assert await world.redis.zrange(key, 0, -1) == [pool(1)]

    # Its app has stopped keeping prompts: what was kept stays, nothing more is written.
    await world.put("three", pool(1), prompt="secret")
    assert await found(world, words="secret") != []

    await world.catalogue.drop_pool(pool(1))
    assert await world.redis.exists(key) == 0


async def test_no_word_outlives_a_pool_that_is_bought_for_while_it_is_dropped(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.put("one", pool(1), prompt="secret")
    read = world.catalogue.pool_infos

    async def overtaken(names: Any) -> Any:
        was = await read(names)
        monkeypatch.setattr(world.catalogue, "pool_infos", read)
        await world.put("two", pool(1), **said("secret"))
        return was

    monkeypatch.setattr(world.catalogue, "pool_infos", overtaken)
    await world.catalogue.drop_pool(pool(1))

    assert await world.redis.exists(picture_keys.pools_with(*word_names("secret"))) == 0
    assert await world.redis.exists(picture_keys.about(pool(1))) == 0


async def test_pools_of_an_earlier_version_are_found_after_a_round_of_maintenance(
    world: Any,
) -> None:
    one = await world.put("one", pool(1), **said("a cat"))
    sets = [picture_keys.pools_for(MODEL), picture_keys.pools_of("web")]
    sets += map(picture_keys.pools_with, word_names("a cat"))
    await world.redis.delete(*sets)
    await world.redis.hdel(picture_keys.about(pool(1)), "words")
    assert await found(world, team="web") == []

    await world.maintenance().look()

    assert await found(world, team="web", words="cat", endpoint=MODEL) == [one.name]
    await world.catalogue.drop_pool(pool(1))
    assert await world.redis.exists(*sets) == 0

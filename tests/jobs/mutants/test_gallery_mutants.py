"""Changes to what the catalogue's scripts do for the gallery that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of

from falgate.cache.pool_info import PoolInfo
from falgate.core.picture import Kept
from falgate.pictures.catalogue import NewPicture, Sought
from falgate.pictures.store.catalogue import APPS_MAX, Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.pictures.store.thumbnails import ThumbnailRegister
from falgate.pictures.words import word_names
from falgate.redis import picture_keys

HOUR_MS = 3_600_000
ONE, TWO = (Kept(digit * 64, "image/png", 100, 1, 1) for digit in "12")


def filing(picture: Kept, pool: str = "f", prompt: str = "") -> NewPicture:
    about = PoolInfo(
        endpoint="m",
        upstream="u",
        scope="s",
        variation="",
        version="1",
        prompt_sha256="p",
        recorded={},
        arguments={"prompt": prompt} if prompt else None,
    )
    return NewPicture(
        kept=picture, value=1, app="t/a", prompt_sha256="p", fingerprint=pool, about=about
    )


async def found(world: Any, **sought: Any) -> set[str]:
    """The pools that the gallery finds."""
    index, wanted = PoolIndex(world.redis), Sought(**sought)
    place = await index.first(wanted)
    pools, _ = await index.behind(place, wanted, 9) if place else ([], False)
    return {each.fingerprint for each, fits in pools if fits}


async def noted(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE))
    assert await catalogue.register(filing(ONE, "g", "The cat"))
    assert await catalogue.register(filing(ONE, "g", "The dog"))
    assert await found(world, endpoint="m") == {"f", "g"}
    assert await found(world, team="t") == {"f", "g"}
    assert await found(world, endpoint="m", words="cat the") == {"g"}
    words = str(await world.redis.hget(picture_keys.about("g"), "words"))
    assert words.split() == list(word_names("the cat dog"))
    for sought in ({"endpoint": "m"}, {"team": "t"}, {"words": "the"}, {"words": "cat"}):
        assert await found(world, **sought, from_ms=10**12)
    await catalogue.drop_pool("g")
    for word in ("the", "cat", "dog"):
        assert await found(world, words=word) == set()
    assert await found(world, team="t") == await found(world, endpoint="m") == {"f"}


async def used(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE))
    apps = [f"t/{number}" for number in range(APPS_MAX + 1)]
    await catalogue.use({(ONE.name, app): 1 for app in apps})
    await catalogue.use({(ONE.name, apps[0]): 2, (ONE.name, apps[-1]): 3})
    (record,) = await catalogue.records((ONE.name,))
    assert record is not None
    assert record.uses_by == {**dict.fromkeys(apps[:-1], 1), apps[0]: 3, "": 4}
    assert record.uses == sum(record.uses_by.values())


async def pinned(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE, "f"))
    assert await catalogue.register(filing(TWO, "g"))
    assert await catalogue.pin(ONE.name, pinned=False)
    assert await found(world, pinned=True) == set()
    assert await catalogue.pin(ONE.name, pinned=True)
    assert await found(world, pinned=True) == {"f"}
    await world.redis.zadd(picture_keys.PINNED_POOLS, {"f": 5})
    for each in (filing(ONE, "f"), filing(TWO, "g")):
        assert await catalogue.register(each)
    assert await found(world, pinned=True, from_ms=10**12) == {"f"}
    await catalogue.drop_pool("f")
    assert await found(world, pinned=True) == set()
    assert await catalogue.pin(ONE.name, pinned=True)  # no pool has it any more
    assert await found(world, pinned=True) == set()


async def older(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE, prompt="cat"))
    bought = await world.redis.zscore(picture_keys.POOLS, "f")
    sets = [picture_keys.pools_for("m"), *map(picture_keys.pools_of, ("t", "t/a"))]
    sets += map(picture_keys.pools_with, word_names("cat"))
    await world.redis.delete(*sets)
    await world.redis.hdel(picture_keys.about("f"), "words")
    index = PoolIndex(world.redis)
    assert await index.add_missing(("f", "g")) == 1
    assert await index.add_missing(("f", "g")) == 0
    for key in sets:
        assert await world.redis.zscore(key, "f") == bought
    await catalogue.drop_pool("f")
    assert await world.redis.exists(*sets) == 0


async def thumbnails(world: Any) -> None:
    catalogue, register = Catalogue(world.redis), ThumbnailRegister(world.redis)
    assert await catalogue.register(filing(ONE))
    assert not await register.begin(TWO.name)
    assert not await register.end(TWO.name, ())
    assert await world.redis.exists(picture_keys.picture(TWO.name)) == 0
    assert await register.begin(ONE.name)
    assert await register.stale(0) == []
    assert await world.redis.exists(picture_keys.THUMBNAILS) == 0
    assert await register.begin(ONE.name)
    began_ms = await world.redis.zscore(picture_keys.THUMBNAILS, ONE.name)
    assert began_ms is not None
    assert abs(began_ms - await catalogue.now_ms()) < HOUR_MS
    (record,) = await catalogue.records((ONE.name,))
    assert record is not None
    assert record.holds is None
    assert await register.end(ONE.name, ("c2pa", "xmp"))
    assert await world.redis.exists(picture_keys.THUMBNAILS) == 0
    (record,) = await catalogue.records((ONE.name,))
    assert record is not None
    assert record.holds == ("c2pa", "xmp")
    assert await register.begin(ONE.name)
    assert await catalogue.mark(ONE.name, forced=True)
    assert not await register.begin(ONE.name)
    assert not await register.end(ONE.name, ())
    assert await catalogue.unregister(record)
    assert await register.stale(0) == [ONE.name]


REGISTER, USE, PIN = "catalogue_register", "catalogue_use", "catalogue_pin"
SHARED, INDEX = "_catalogue", "catalogue_index"
BEGIN, END = "thumbnails_begin", "thumbnails_end"
SUITE = Suite()
SUITE[noted] = {
    "not_the_teams": (REGISTER, "redis.call('ZADD', pools_of_team, whole(now), fingerprint)", ""),
    "not_the_models": (REGISTER, "redis.call('ZADD', pools_for, whole(now), fingerprint)", ""),
    "words_not_listed": (REGISTER, "note_words(about, words)", ""),
    "words_overwritten": (SHARED, "redis.call('HGET', about, 'words') or ''", "''"),
    "not_the_words": (REGISTER, "for i = first_word, #KEYS do", "for i = first_word, 0 do"),
    "not_the_last_word": (
        REGISTER,
        "for i = first_word, #KEYS do",
        "for i = first_word + 1, #KEYS do",
    ),
}
SUITE[used] = {
    "use_by_nobody": (USE, "redis.call('HINCRBY', KEYS[i], by, uses)", ""),
    "apps_without_bound": (USE, "apps < apps_max", "true"),
    "apps_not_counted": (USE, "redis.call('HSET', KEYS[i], 'apps', whole(apps + 1))", ""),
    "known_app_is_another": (USE, "elseif not known[6] then", "else"),
}
SUITE[pinned] = {
    "pinned_not_noted": (PIN, "redis.call('ZADD', pinned_pools, bought, ARGV[i])", ""),
    "unpinned_is_noted": (PIN, "if pinned == '1' then", "if true then"),
    "no_pool_is_noted": (PIN, "if bought then", "bought = bought or '1'\n    if true then"),
    "not_renewed": (REGISTER, "pinned_pools, 'XX', whole(now)", "pinned_pools, 'NX', 0"),
    "everything_is_pinned": (REGISTER, "pinned_pools, 'XX', ", "pinned_pools, "),
}
SUITE[older] = {
    "words_of_before_not_listed": (INDEX, "note_words(about, words)", ""),
    "not_the_first_set": (INDEX, "for i = 3, #KEYS do", "for i = 4, #KEYS do"),
    "not_the_last_set": (INDEX, "for i = 3, #KEYS do", "for i = 3, #KEYS - 1 do"),
    "as_if_bought_now": (INDEX, "KEYS[i], bought,", "KEYS[i], whole(now_ms() + 5),"),
}
SUITE[thumbnails] = {
    "thumbnail_of_nothing": (BEGIN, "not known[1] or", ""),
    "thumbnail_of_what_goes": (BEGIN, " or being_removed(known[2], now)", ""),
    "not_begun": (BEGIN, "redis.call('ZADD', thumbnails, whole(now), name)", ""),
    "begun_for_ever": (BEGIN, "thumbnails, whole(now)", "thumbnails, whole(2 * now)"),
    "ended_of_nothing": (END, "not known[1] or", ""),
    "ended_of_what_goes": (END, " or being_removed(known[2], now_ms())", ""),
    "never_ended": (END, "redis.call('ZREM', thumbnails, name)", ""),
    "metadata_forgotten": (END, "redis.call('HSET', picture, 'holds', holds)", ""),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

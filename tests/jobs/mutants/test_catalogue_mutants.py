"""Changes to the catalogue's scripts that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of

from falgate.cache.pool_info import PoolInfo
from falgate.core.picture import Kept
from falgate.pictures.catalogue import NewPicture, StoreSize
from falgate.pictures.store.catalogue import Catalogue
from falgate.redis import picture_keys

LATER_MS = 10**14
WEEK_MS = 7 * 86_400_000


def kept(digit: str, size_bytes: int = 100) -> Kept:
    return Kept(digit * 64, "image/png", size_bytes, 1, 1)


ONE, TWO, THREE = kept("1"), kept("2"), kept("3")


def filing(picture: Kept, pool: str = "f", **more: Any) -> NewPicture:
    about = PoolInfo(
        endpoint="m",
        upstream="u",
        scope="s",
        variation="",
        version="1",
        prompt_sha256="p",
        recorded={},
        arguments=more.pop("arguments", None),
    )
    usual: dict[str, Any] = {"value": 1_000, "app": "t/a", "prompt_sha256": "p"}
    return NewPicture(kept=picture, fingerprint=pool, about=about if pool else None, **usual | more)


async def files(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE, arguments={"a": 1}))
    assert await catalogue.register(filing(ONE, "g", value=2_000, app="t/b", prompt_sha256="q"))
    assert await catalogue.register(filing(ONE, value=5))
    assert await catalogue.register(filing(TWO, "", value=0, master=ONE.name))
    assert await catalogue.register(filing(TWO, "", value=0, master=ONE.name))
    assert await world.redis.hget(picture_keys.picture(ONE.name), "prompts") == "p q"
    one, two = await catalogue.records((ONE.name, TWO.name))
    assert one is not None
    assert two is not None
    assert (one.pools, one.prompts, one.value) == (("f", "g"), ("p", "q"), 2_000)
    assert (one.app, one.derived, one.uses, one.size_bytes) == ("t/a", (TWO.name,), 0, 100)
    assert (two.pools, two.master) == ((), ONE.name)
    assert await catalogue.total() == StoreSize(2, 200)
    now_ms = await catalogue.now_ms()
    assert abs(one.noted_ms - now_ms) < 60_000
    assert abs(one.used_ms - now_ms) < 60_000
    ((about, apps), (_, others)) = await catalogue.pool_infos(("f", "g"))
    assert about is not None
    assert about.arguments == {"a": 1}
    assert set(apps) == {"t/a"}
    assert set(others) == {"t/b"}
    assert dict(await catalogue.pools(number=9)).keys() == {"f", "g"}
    assert [name for name, _ in await catalogue.pools(app="t/b", number=9)] == ["g"]
    assert await catalogue.pools_for("p") == ["f"]
    assert await catalogue.pictures_of_prompt("q") == [ONE.name]
    assert await catalogue.pictures_of_prompt("p") == [ONE.name, TWO.name]
    assert await world.redis.exists(picture_keys.picture("")) == 0
    assert await catalogue.register(filing(THREE, "", master="nothing.png"))
    assert await world.redis.exists(picture_keys.picture("nothing.png")) == 0


async def worths(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    cheap, dear, large, made = kept("5"), kept("4"), kept("6", 100_000), kept("7", 1)
    for picture, value, master in (
        (dear, 5_000, ""),
        (cheap, 1_000, ""),
        (large, 1_000, ""),
        (made, 10**9, ONE.name),
    ):
        assert await catalogue.register(filing(picture, "", value=value, master=master))
    order = [each.name for each in (made, large, cheap, dear)]
    assert await catalogue.cheapest(0, 9) == order
    heat = float(await world.redis.hget(picture_keys.picture(cheap.name), "heat"))
    assert abs(heat - await catalogue.now_ms() / WEEK_MS) < 0.01
    await catalogue.use({(cheap.name, "t/a"): 15, ("nothing.png", "t/a"): 1})
    heat = float(await world.redis.hget(picture_keys.picture(cheap.name), "heat"))
    assert abs(heat - 4 - await catalogue.now_ms() / WEEK_MS) < 0.01
    assert await catalogue.cheapest(3, 9) == [cheap.name]
    await catalogue.use({(made.name, "t/a"): 10**6})
    assert await catalogue.cheapest(0, 1) == [made.name]
    (record,) = await catalogue.records((cheap.name,))
    assert record is not None
    assert record.uses == 15
    assert await world.redis.exists(picture_keys.picture("nothing.png")) == 0
    # One that was hot years ago is no hotter for it than one of today.
    await world.redis.hset(picture_keys.picture(dear.name), "heat", "5")
    await catalogue.use({(dear.name, "t/a"): 1})
    heat = float(await world.redis.hget(picture_keys.picture(dear.name), "heat"))
    assert abs(heat - await catalogue.now_ms() / WEEK_MS) < 0.01


async def removals(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    for picture in (ONE, TWO, THREE):
        assert await catalogue.register(filing(picture))
    assert not await catalogue.mark("nothing.png", forced=True)
    assert await world.redis.exists(picture_keys.picture("nothing.png")) == 0
    assert not await catalogue.mark(ONE.name, unused_ms=0, noted_ms=LATER_MS)
    assert not await catalogue.mark(ONE.name, unused_ms=LATER_MS, noted_ms=0)
    assert not await catalogue.confirm(ONE.name)
    assert not await catalogue.confirm("nothing.png")
    assert await catalogue.pin(ONE.name, pinned=True)
    assert not await catalogue.mark(ONE.name, unused_ms=LATER_MS, noted_ms=LATER_MS)
    assert await catalogue.mark(ONE.name, forced=True)
    assert await catalogue.mark(TWO.name, unused_ms=LATER_MS, noted_ms=LATER_MS)
    assert not await catalogue.mark(TWO.name, unused_ms=LATER_MS, noted_ms=LATER_MS)
    assert not await catalogue.register(filing(TWO))
    key = picture_keys.picture(TWO.name)
    await world.redis.hincrby(key, "marked_ms", -30_000)
    assert await catalogue.confirm(TWO.name)
    assert int(await world.redis.hget(key, "marked_ms")) > await catalogue.now_ms() - 20_000
    await world.redis.hincrby(key, "used_ms", -40_000)
    await catalogue.use({(TWO.name, "t/a"): 1})
    assert int(await world.redis.hget(key, "used_ms")) > await catalogue.now_ms() - 20_000
    assert not await catalogue.confirm(TWO.name)
    assert not await catalogue.confirm(TWO.name)
    one, two = await catalogue.records((ONE.name, TWO.name))
    assert one is not None
    assert two is not None
    assert not await catalogue.unregister(two)
    assert await catalogue.unregister(one)
    assert not await catalogue.unregister(one)
    assert await catalogue.total() == StoreSize(2, 200)
    assert await catalogue.records((ONE.name,)) == [None]
    assert sorted(await catalogue.cheapest(0, 9)) == [TWO.name, THREE.name]
    assert await catalogue.pictures_of_prompt("p") == [TWO.name, THREE.name]
    # A removal that did not end in a minute is none.
    assert await catalogue.mark(THREE.name, forced=True)
    await world.redis.hincrby(picture_keys.picture(THREE.name), "marked_ms", -61_000)
    assert await catalogue.mark(THREE.name, forced=True)
    await world.redis.hincrby(picture_keys.picture(THREE.name), "marked_ms", -61_000)
    assert await catalogue.register(filing(THREE))
    (three,) = await catalogue.records((THREE.name,))
    assert three is not None
    assert not await catalogue.unregister(three)
    assert not await catalogue.confirm(THREE.name)
    assert not await catalogue.pin("nothing.png", pinned=True)
    assert await world.redis.exists(picture_keys.picture("nothing.png")) == 0


async def drops(world: Any) -> None:
    catalogue = Catalogue(world.redis)
    assert await catalogue.register(filing(ONE))
    assert await catalogue.register(filing(TWO, app="t/b"))
    assert await catalogue.register(filing(THREE, "g"))
    await catalogue.drop_pool("f")
    assert await catalogue.pool_infos(("f",)) == [(None, {})]
    assert [name for name, _ in await catalogue.pools(number=9)] == ["g"]
    assert [name for name, _ in await catalogue.pools(app="t/a", number=9)] == ["g"]
    assert await catalogue.pools(app="t/b", number=9) == []
    assert await catalogue.pools_for("p") == ["g"]


SHARED, REGISTER, USE = "_catalogue", "catalogue_register", "catalogue_use"
MARK, CONFIRM, UNREGISTER = "catalogue_mark", "catalogue_confirm", "catalogue_unregister"
PIN, DROP = "catalogue_pin", "catalogue_drop_pool"
SUITE = Suite()
SUITE[files] = {
    "first_use_stays": (SHARED, "if not heat then return more end", "if heat then return heat end"),
    "listed_twice": (SHARED, "then return names end", "then return names .. ' ' .. name end"),
    "cheaper_again": (REGISTER, "math.max(value, tonumber(known[3] or '0'))", "value"),
    "pool_not_noted": (
        REGISTER,
        "its_pools = listed(its_pools, fingerprint)",
        "its_pools = its_pools",
    ),
    "counted_twice": (REGISTER, "if not known[2] then", "if true then"),
    "bytes_not_counted": (REGISTER, "redis.call('HINCRBY', media, 'bytes', whole(size))", ""),
    "not_counted": (REGISTER, "redis.call('HINCRBY', media, 'pictures', 1)", ""),
    "prompt_not_noted": (REGISTER, "redis.call('HSET', picture, 'prompts',", "local _ = ("),
    "not_pictured": (REGISTER, "redis.call('SADD', pictures_of_prompt, name)", ""),
    "derived_of_nothing": (REGISTER, " and redis.call('EXISTS', master_picture) == 1", ""),
    "prompt_overwritten": (
        REGISTER,
        "if with_prompt == '1' or redis.call('HEXISTS', about, 'about') == 0 then",
        "if true then",
    ),
    "app_not_noted": (REGISTER, "redis.call('HSET', about, 'app:' .. app, whole(now))", ""),
    "pool_not_listed": (REGISTER, "redis.call('ZADD', pools, whole(now), fingerprint)", ""),
    "pool_not_the_apps": (REGISTER, "redis.call('ZADD', pools_of, whole(now), fingerprint)", ""),
    "pool_not_the_prompts": (REGISTER, "redis.call('SADD', prompt, fingerprint)", ""),
}
SUITE[worths] = {
    "another_half_life": (SHARED, "7 * 86400", "8 * 86400"),
    "uses_do_not_count": (SHARED, "log2(uses) + now", "now"),
    "only_the_newest_use": (SHARED, "return high + log2(1 + 2 ^ (low - high))", "return high"),
    "worth_without_price": (SHARED, "(value + 1) / math.max(size, 1)", "1 / math.max(size, 1)"),
    "worth_without_size": (SHARED, "(value + 1) / math.max(size, 1)", "(value + 1)"),
    "worth_without_use": (SHARED, ") + heat\n", ")\n"),
    "made_here_as_any": (SHARED, "made_here and place - 1000000 or place", "place"),
    "not_ranked": (REGISTER, "redis.call('ZADD', pictures,", "redis.call('EXISTS', pictures,"),
    "use_of_nothing": (
        USE,
        "if known[1] then",
        "known[1], known[2] = known[1] or 1, known[2] or 1\n  if true then",
    ),
    "use_is_not_counted": (USE, "redis.call('HINCRBY', KEYS[i], 'uses', uses)", ""),
    "use_is_not_ranked": (USE, "redis.call('ZADD', pictures,", "redis.call('EXISTS', pictures,"),
    "use_makes_it_bought": (USE, "known[4] ~= ''", "false"),
}
SUITE[removals] = {
    "removed_for_ever": (SHARED, "now - tonumber(marked_ms) < 60000", "true"),
    "never_removed": (SHARED, "marked_ms and now -", "false and now -"),
    "filed_while_removed": (REGISTER, "if being_removed(known[1], now) then return 0 end", ""),
    "marked_for_ever": (
        REGISTER,
        "redis.call('HDEL', picture, 'marked_ms', 'marked_uses')",
        "",
    ),
    "use_has_no_time": (USE, "'used_ms', whole(now), ", ""),
    "marked_twice": (MARK, "or being_removed(known[1], now) then", "then"),
    "nothing_marked": (MARK, "if not known[4] or", "if"),
    "pinned_marked": (MARK, "known[2] == '1' or ", ""),
    "used_marked": (MARK, "or tonumber(known[3]) > unused_ms\n", "\n"),
    "new_marked": (MARK, "or tonumber(known[4]) > noted_ms", ""),
    "never_forced": (MARK, "if forced ~= '1' and (", "if ("),
    "always_forced": (MARK, "if forced ~= '1' and (", "if false and ("),
    "not_marked": (MARK, "'marked_ms', whole(now), 'marked_uses'", "'marked_uses'"),
    "uses_are_not_kept": (MARK, ", 'marked_uses', known[5])", ")"),
    "anything_confirmed": (
        CONFIRM,
        "if not known[1] then return 0 end",
        "",
    ),
    "used_confirmed": (
        CONFIRM,
        "if known[2] ~= known[3] then",
        "if false then",
    ),
    "spared_stays_marked": (
        CONFIRM,
        "redis.call('HDEL', picture, 'marked_ms', 'marked_uses')",
        "",
    ),
    "not_marked_anew": (CONFIRM, "'marked_ms', whole(now_ms())", "'marked_ms', known[1]"),
    "anything_buried": (
        UNREGISTER,
        "if not known[1] then return 0 end",
        "if not known[2] then return 0 end",
    ),
    "record_kept": (
        UNREGISTER,
        "redis.call('DEL', picture)",
        "redis.call('HDEL', picture, 'marked_ms')",
    ),
    "rank_kept": (UNREGISTER, "redis.call('ZREM', pictures, name)", ""),
    "prompt_kept": (UNREGISTER, "redis.call('SREM', KEYS[i], name)", "local _ = i"),
    "bytes_kept": (UNREGISTER, "redis.call('HINCRBY', media, 'bytes', -tonumber(known[2]))", ""),
    "count_kept": (UNREGISTER, "redis.call('HINCRBY', media, 'pictures', -1)", ""),
    "nothing_pinned": (PIN, "if redis.call('EXISTS', picture) == 0 then return 0 end", ""),
    "not_pinned": (PIN, "redis.call('HSET', picture, 'pinned', pinned)", ""),
}
SUITE[drops] = {
    "about_kept": (DROP, "redis.call('DEL', about)", "1"),
    "pool_kept": (DROP, "redis.call('ZREM', pools, fingerprint)", ""),
    "prompt_s_pool_kept": (DROP, "redis.call('SREM', prompt, fingerprint)", ""),
    "apps_pool_kept": (DROP, "redis.call('ZREM', KEYS[i], fingerprint)", "local _ = i"),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

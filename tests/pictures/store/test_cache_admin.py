"""Cache administration: pools and pictures are found by what they are for, and removed for good."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.store.audit import AuditLog
from falgate.cache.fingerprint import prompt_digest
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.selection import Purged, Selection
from falgate.redis import keyspace, picture_keys

F, G = "f" * 64, "0" * 64
Names = Callable[..., set[str]]


@pytest.fixture
def admin(world: Any) -> CacheAdmin:
    notes = AuditLog(world.redis)
    return CacheAdmin(world.catalogue, world.pools, world.deleter, notes, kept_s=600)


async def said(redis: Redis) -> list[str]:
    lines: Any = await redis.xrange(keyspace.AUDIT)
    return [fields["subject"] for _, fields in lines]


async def test_pools_come_in_pages_the_newest_first(world: Any, admin: CacheAdmin) -> None:
    names = [f"{number:064d}" for number in range(5)]
    for name in names:
        await world.put(name, name, app="web/blog" if name == names[0] else "web/shop")
    await world.redis.zadd(picture_keys.POOLS, {name: index for index, name in enumerate(names)})

    first, cursor = await admin.page(number=2)
    second, more = await admin.page(number=2, cursor=cursor)
    last, end = await admin.page(number=2, cursor=more)

    found = [world.fingerprint for world in (*first, *second, *last)]
    assert found == names[::-1]
    assert end == ""
    assert [each.apps for each in last] == [("web/blog",)]
    assert [len(each.pool.pictures) for each in last] == [1]
    assert [each.fingerprint for each in (await admin.page(app="web/blog", number=9))[0]] == names[
        :1
    ]
    with pytest.raises(Invalid, match="next_cursor"):
        await admin.page(number=1, cursor="7")


async def test_pools_that_were_bought_for_lately_are_not_old(world: Any, admin: CacheAdmin) -> None:
    await world.put("one", F)
    await world.put("two", G)
    await world.redis.zincrby(picture_keys.POOLS, -10_000_000, G)

    assert [each.fingerprint for each in (await admin.page(older_than_s=9_000, number=9))[0]] == [G]


async def test_a_prompt_finds_its_pools_exactly(world: Any, admin: CacheAdmin) -> None:
    await world.put("one", F, prompt="a cat")
    await world.put("two", G, prompt="a cat!")

    found = await admin.of_prompt(prompt_digest("a cat"))

    assert [each.fingerprint for each in found] == [F]


async def test_a_picture_is_found_by_its_name_its_hash_or_its_url(
    world: Any, admin: CacheAdmin
) -> None:
    picture = await world.put("one", F)

    for name in (
        picture.name,
        picture.sha256,
        f"https://falgate.example/pictures/{picture.name}",
        f"https://falgate.example/pictures/{picture.name}?expires=1&signature=x",
    ):
        assert (await admin.picture(name)).name == picture.name
    with pytest.raises(NotFound):
        await admin.picture("0" * 64)
    with pytest.raises(Invalid):
        await admin.picture("cat.png")


async def test_a_pool_is_found_by_its_fingerprint(world: Any, admin: CacheAdmin) -> None:
    await world.put("one", F)

    assert (await admin.pool(F)).fingerprint == F
    with pytest.raises(NotFound):
        await admin.pool(G)
    with pytest.raises(Invalid):
        await admin.pool("F")


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        ({"fingerprint": F}, {G}),
        ({"prompt": "a cat"}, {G}),
        ({"app": "web/shop"}, {G}),
        ({"everything": True}, set()),
    ],
    ids=["fingerprint", "prompt", "app", "everything"],
)
async def test_what_is_purged_is_in_no_pool_and_its_files_stay(
    selection: dict[str, Any], left: set[str], world: Any, admin: CacheAdmin, names_of: Names
) -> None:
    one = await world.put("one", F, prompt="a cat", app="web/shop")
    two = await world.put("two", G, prompt="a dog", app="web/blog")

    purged = await admin.purge(Selection(**selection), "me")

    assert purged == Purged(pools=2 - len(left), pictures=2 - len(left))
    pools = await world.pools.read_all((F, G))
    assert {name for name, pool in zip((F, G), pools, strict=True) if pool.pictures} == left
    assert world.files() == names_of(one, two)
    (line,) = await said(world.redis)
    assert line.startswith("purge ")
    assert "a cat" not in line
    # What was on its way for that pool does not come back.
    assert await world.pools.append(F, "late", 0, (one,)) is None


async def test_a_picture_is_purged_from_every_pool_in_every_format(
    world: Any, admin: CacheAdmin
) -> None:
    master, other = await world.put("master", F), await world.put("other", F)
    await world.put("made", G, master=master.name)

    derived = world.kept("made")[0]
    assert await admin.purge(Selection(picture=derived.sha256), "me") == Purged(pools=2, pictures=2)
    pools = await world.pools.read_all((F, G))
    assert [pool.pictures for pool in pools] == [(other,), ()]


async def test_only_old_pictures_are_purged_where_an_age_is_given(
    world: Any, admin: CacheAdmin
) -> None:
    # Both were made long ago, by their own account.
    await world.put("one", F)
    await world.put("two", G)

    assert await admin.purge(Selection(everything=True, older_than_s=10**9 * 3), "me") == Purged(
        pools=0, pictures=0
    )
    assert await admin.purge(Selection(everything=True, older_than_s=60), "me") == Purged(
        pools=2, pictures=2
    )


@pytest.mark.parametrize("selection", [{}, {"older_than_s": 5}, {"app": "a/b", "everything": True}])
async def test_exactly_one_thing_is_purged(selection: dict[str, Any], admin: CacheAdmin) -> None:
    with pytest.raises(Invalid, match="Give exactly one of"):
        await admin.purge(Selection(**selection), "me")


async def test_a_purge_is_seen_by_the_next_look_of_every_instance(
    world: Any, admin: CacheAdmin
) -> None:
    await world.put("one", F)

    await admin.purge(Selection(fingerprint=F), "me")
    seen = await world.pools.read(F)

    assert seen.pictures == ()


async def test_a_pinned_picture_is_handed_out_for_ever_until_it_is_let_go(
    world: Any, admin: CacheAdmin
) -> None:
    picture = await world.put("one", F)

    assert (await admin.pin(picture.name, "me", pinned=True)).pinned
    assert (await world.pools.read(F)).pictures[0].until_s == 0
    assert await world.redis.ttl(picture_keys.pool(F)) == -1

    assert not (await admin.pin(picture.name, "me", pinned=False)).pinned
    now_s = await world.catalogue.now_ms() // 1000
    until_s = (await world.pools.read(F)).pictures[0].until_s
    assert now_s + 590 < until_s <= now_s + 600
    assert await said(world.redis) == [f"pin {picture.name}", f"pin {picture.name}"]


async def test_a_rejected_picture_is_in_no_pool_and_pinned_no_more(
    world: Any, admin: CacheAdmin
) -> None:
    bad, good = await world.put("bad", F), await world.put("good", F)
    await world.put("bad", G)
    await admin.pin(bad.name, "me", pinned=True)

    assert await admin.reject(bad.name, "me") == Purged(pools=2, pictures=1)

    pools = await world.pools.read_all((F, G))
    assert [pool.pictures for pool in pools] == [(good,), ()]
    assert not (await world.record(bad)).pinned
    with pytest.raises(Conflict, match="not in any pool"):
        await admin.reject(bad.name, "me")


async def test_rejected_twice_at_once_it_is_rejected_once(world: Any, admin: CacheAdmin) -> None:
    bad = await world.put("bad", F)

    ends = await asyncio.gather(
        *(admin.reject(bad.name, "me") for _ in range(5)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in ends) == ["Conflict"] * 4 + ["Purged"]

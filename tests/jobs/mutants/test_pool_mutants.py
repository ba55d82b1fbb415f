"""Changes to pools and to forgetting that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of
from msgspec.structs import replace

from falgate.cache.pool import PoolVersion
from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.jobs.settlement import Settlement
from falgate.jobs.store import sweep
from falgate.jobs.verdicts import Held
from falgate.redis import keyspace, picture_keys

UPSTREAM = "https://queue.example"
LATER_MS = 10**14
LATER_S = 10**10
ONE, TWO, THREE = (
    Picture(
        sha256=digit * 64,
        content_type="image/png",
        size_bytes=9,
        width=1,
        height=2,
        made_s=7,
        until_s=LATER_S,
    )
    for digit in "123"
)
OLD, PINNED = replace(ONE, sha256="0" * 64, until_s=1), replace(TWO, until_s=0)


async def appends(world: Any) -> None:
    pools = Pools(world.redis)
    first = await pools.append("f", "job-12", 0, (ONE, ONE))
    assert first is not None
    assert first.count == 1
    second = await pools.append("f", "job-1", first.generation, (ONE, TWO))
    assert second == PoolVersion(first.generation, 2)
    assert await pools.append("f", "job-12", 0, (THREE,)) == second
    assert await pools.append("f", "job-3", first.generation - 1, (THREE,)) is None
    begun = await pools.append("g", "job-3", 7, (THREE,))
    assert begun is not None
    assert begun.generation > 7
    assert (await pools.read("f")).pictures == (ONE, TWO)
    assert await world.redis.expiretime(picture_keys.pool("f")) == LATER_S


async def beginnings(world: Any) -> None:
    pools = Pools(world.redis)
    first = await pools.append("f", "a", 0, (ONE,))
    assert first is not None
    assert await pools.append("f", "b", 0, (TWO,)) == PoolVersion(first.generation, 2)
    await world.redis.hset(picture_keys.pool("f"), "generation", str(LATER_MS))
    assert await pools.append("f", "c", 0, (THREE,)) is None


async def leavings(world: Any) -> None:
    pools = Pools(world.redis)
    aged = await pools.append("f", "a", 0, (OLD, PINNED))
    assert aged == PoolVersion(aged.generation if aged else 0, 2)
    assert await world.redis.expiretime(picture_keys.pool("f")) == -1
    await world.redis.hset(picture_keys.pool("f"), "generation", str(LATER_MS))
    seen = await pools.append("f", "b", LATER_MS, (ONE,))
    assert seen == PoolVersion(LATER_MS + 1, 2)
    assert (await pools.read("f")).pictures == (PINNED, ONE)


async def renewals(world: Any) -> None:
    pools = Pools(world.redis)
    await pools.append("f", "a", 0, (ONE, TWO))
    await world.redis.hset(picture_keys.pool("f"), "generation", str(LATER_MS))
    assert await pools.renew("f", "job-1", 7, (THREE,)) is None
    seen = await pools.renew("f", "job-12", LATER_MS, (THREE,))
    assert seen == PoolVersion(LATER_MS + 1, 1)
    assert await pools.renew("f", "job-12", LATER_MS, (THREE,)) == seen
    assert await pools.renew("f", "job-1", LATER_MS + 1, (ONE, TWO)) == PoolVersion(LATER_MS + 2, 2)
    assert (await pools.read("f")).pictures == (ONE, TWO)
    assert await world.redis.expiretime(picture_keys.pool("f")) == LATER_S
    assert await pools.append("f", "a", LATER_MS + 2, (THREE,)) == PoolVersion(LATER_MS + 2, 3)


async def removals(world: Any) -> None:
    pools = Pools(world.redis)
    await pools.append("f", "a", 0, (ONE, TWO, THREE))
    was = await pools.read("f")
    assert await pools.remove("f", {"9" * 64}) == 0
    assert (await pools.read("f")).generation == was.generation
    await world.redis.hset(picture_keys.pool("f"), "generation", str(LATER_MS))
    assert await pools.remove("f", {TWO.sha256}) == 1
    left = await pools.read("f")
    assert (left.pictures, left.generation) == ((ONE, THREE), LATER_MS + 1)
    assert await world.redis.expiretime(picture_keys.pool("f")) == LATER_S
    assert await pools.append("f", "a", left.generation, (TWO,)) == PoolVersion(left.generation, 3)
    assert await pools.empty("f") == 3
    assert await pools.empty("g") == 0
    assert await pools.append("g", "b", 0, (ONE,)) is None
    emptied = await pools.read("f")
    assert (emptied.pictures, emptied.generation) == ((), LATER_MS + 2)
    assert 0 < await world.redis.ttl(picture_keys.pool("f")) <= keyspace.EMPTIED_S


async def prolongings(world: Any) -> None:
    pools = Pools(world.redis)
    await pools.append("f", "a", 0, (ONE, PINNED, THREE))
    assert await pools.keep("f", {ONE.sha256, TWO.sha256}, LATER_S + 1) == 1
    assert (await pools.read("f")).pictures == (
        replace(ONE, until_s=LATER_S + 1),
        PINNED,
        THREE,
    )
    assert await pools.keep("f", {TWO.sha256}, LATER_S, pinned=True) == 1
    assert (await pools.read("f")).pictures[1:] == (TWO, THREE)
    assert await world.redis.expiretime(picture_keys.pool("f")) == LATER_S + 1
    assert await pools.keep("f", {"9" * 64}, 5) == 0


async def old_jobs(world: Any) -> None:
    ended = await world.bring("a", "f", "accepted")
    await world.one.settle(ended, Settlement(state="unknown", charge=100))
    await world.bring("b", "g", "accepted")
    young: dict[str, Any] = {
        "ended_jobs": keyspace.ended_jobs(UPSTREAM),
        "submits": keyspace.submits(UPSTREAM),
        "more_keys": [keyspace.job("a"), keyspace.job("b")],
        "more_args": ["a", "b"],
    }
    before_ms = await world.one.now_ms() - 60_000
    assert await sweep._JOBS(world.redis, before_ms=before_ms, **young) == 0
    assert await sweep._JOBS(world.redis, before_ms=LATER_MS, **young) == 1
    assert await world.one.read("a") is None
    assert await world.one.read("b") is not None
    assert await world.redis.hgetall(young["submits"]) == {"fal-b": "b"}
    assert await world.members(young["ended_jobs"]) == []


async def old_markers(world: Any) -> None:
    for job_id, fingerprint in [("a", "f"), ("b", "g"), ("c", "h")]:
        job = await world.bring(job_id, fingerprint, "paid")
        await world.one.finish(job, (), PoolVersion(7, 1))
    assert await world.hold("d", "g", generation=7, count=1) == Held()
    await world.redis.zadd(keyspace.MARKERS, {"f": 1, "g": 1})
    forgotten = await sweep._FLIGHTS(
        world.redis,
        markers=keyspace.MARKERS,
        more_keys=[keyspace.flight(fingerprint) for fingerprint in "fgh"],
        more_args=["f", "g", "h"],
    )
    assert forgotten == 2
    flights = await world.redis.mget(*(keyspace.flight(fingerprint) for fingerprint in "fgh"))
    assert flights == [None, "open:d", "done:c:7:1"]
    assert await world.members(keyspace.MARKERS) == ["h"]


APPEND, RENEW, REMOVE, KEEP = "pools_append", "pools_renew", "pools_remove", "pools_keep"
JOBS, FLIGHTS, SHARED = "jobs_sweep", "flights_sweep", "_pools"
SUITE = Suite()
SUITE[appends] = {
    "appended_again": (APPEND, "if (' ' .. jobs):find(' ' .. job_id .. ' ', 1, true)", "if false"),
    "part_of_an_id": (APPEND, "(' ' .. jobs):find(' ' .. job_id .. ' '", "jobs:find(job_id"),
    "any_generation": (
        APPEND,
        "if known[1] and known[1] ~= generation then return {} end",
        "",
    ),
    "gone_is_another_generation": (APPEND, "if known[1] and known[1] ~=", "if known[1] ~="),
    "no_first_generation": (APPEND, "generation = whole(now)\n", "generation = '0'\n"),
    "duplicates": (APPEND, "if not there[new.sha256] then", "if true then"),
    "duplicates_of_old": (APPEND, "    there[picture.sha256] = true\n", ""),
    "never_expires": (APPEND, "live_until(pool, pictures)", ""),
    "job_not_noted": (APPEND, "jobs .. job_id .. ' '", "jobs"),
}
SUITE[beginnings] = {
    "begun_by_one_only": (APPEND, "if generation == '0' and known[5] == known[1]", "if false"),
    "begun_for_ever": (APPEND, "known[5] == known[1]", "known[1]"),
}
SUITE[leavings] = {
    "old_ones_stay": (APPEND, "picture.until_s * 1000 > now", "true"),
    "pinned_ones_go": (APPEND, "picture.until_s == 0 or ", ""),
    "same_generation_without_old": (APPEND, "elseif #pictures < #had then", "elseif false then"),
    "for_ever_forgotten": (SHARED, "if picture.until_s == 0 then", "if false then"),
}
SUITE[renewals] = {
    "renewed_again": (
        RENEW,
        "if (' ' .. (known[3] or '')):find(' ' .. job_id .. ' ', 1, true)",
        "if false",
    ),
    "renewed_part_of_an_id": (
        RENEW,
        "(' ' .. (known[3] or '')):find(' ' .. job_id .. ' '",
        "(known[3] or ''):find(job_id",
    ),
    "renewed_any": (RENEW, "if tonumber(known[1] or '0') ~= generation then return {} end", ""),
    "renewed_same_generation": (RENEW, "generation + 1", "generation"),
    "renewed_by_the_clock": (RENEW, "math.max(generation + 1, now_ms())", "now_ms()"),
    "renewed_never_expires": (RENEW, "live_until(pool, pictures)", "redis.call('PERSIST', pool)"),
    "renewed_old_jobs_kept": (RENEW, "'jobs', job_id .. ' '", "'jobs', 'a ' .. job_id .. ' '"),
}
SUITE[removals] = {
    "removed_all": (REMOVE, "if all == '1' or gone[picture.sha256] then", "if true then"),
    "removed_none": (REMOVE, "all == '1' or gone[picture.sha256]", "false"),
    "not_emptied": (REMOVE, "if all == '1' or gone", "if gone"),
    "removed_nothing_new_generation": (
        REMOVE,
        "if taken == 0 and all ~= '1' then return 0 end",
        "",
    ),
    "empty_not_noted": (REMOVE, "if taken == 0 and all ~= '1'", "if taken == 0"),
    "removed_same_generation": (REMOVE, "digits(known[1] or '0') + 1", "digits(known[1] or '0')"),
    "removed_by_the_clock": (REMOVE, "math.max(digits(known[1] or '0') + 1, now_ms())", "now_ms()"),
    "removed_jobs_kept": (REMOVE, "'jobs', ''", "'more', ''"),
    "emptied_lives": (REMOVE, "redis.call('EXPIRE', pool, emptied_s)", ""),
    "left_lives_for_ever": (REMOVE, "live_until(pool, left)", "redis.call('PERSIST', pool)"),
}
SUITE[prolongings] = {
    "shortest_life": (
        SHARED,
        "longest = math.max(longest, picture.until_s)",
        "longest = picture.until_s",
    ),
    "all_prolonged": (KEEP, "if kept[picture.sha256] and", "if"),
    "pinned_prolonged": (KEEP, "(over == '1' or picture.until_s > 0)", "true"),
    "pinned_never": (KEEP, "(over == '1' or picture.until_s > 0)", "picture.until_s > 0"),
    "not_written": (KEEP, "redis.call('HSET', pool, 'pictures', joined(pictures))", ""),
    "same_life": (KEEP, "live_until(pool, pictures)", ""),
}
SUITE[old_jobs] = {
    "swept_while_young": (JOBS, " and tonumber(ended) < before_ms", ""),
    "swept_while_open": (
        JOBS,
        "if ended and tonumber(ended)",
        "if (ended or 0) and tonumber(ended or 0)",
    ),
    "ids_kept": (JOBS, "if request_id then", "if false then"),
    "ended_kept": (JOBS, "redis.call('ZREM', ended_jobs, job_id)", ""),
}
SUITE[old_markers] = {
    "young_markers": (FLIGHTS, " and tonumber(until_ms) <= now", ""),
    "open_flights": (FLIGHTS, "claim:sub(1, 5) == 'done:'", "claim"),
    "flight_kept": (FLIGHTS, "redis.call('DEL', KEYS[i])", ""),
    "marker_kept": (FLIGHTS, "redis.call('ZREM', markers, fingerprint)", ""),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

"""Changes to pools and to forgetting that must not go unnoticed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.core.claim import Held, Seen
from falgate.core.outcome import Settlement
from falgate.core.picture import Picture
from falgate.store import _keys, sweep
from falgate.store.pools import Pools

UPSTREAM = "https://queue.example"
LATER_MS = 10**14
ONE, TWO, THREE = (
    Picture(sha256=digit * 64, content_type="image/png", size_bytes=9, width=1, height=2, made_s=7)
    for digit in "123"
)


async def appends(desk: Any) -> None:
    pools = Pools(desk.redis, ttl_s=600)
    first = await pools.append("f", "job-12", 0, (ONE, ONE))
    assert first is not None
    assert first.count == 1
    second = await pools.append("f", "job-1", first.generation, (ONE, TWO))
    assert second == Seen(first.generation, 2)
    assert await pools.append("f", "job-12", 0, (ONE,)) == second
    assert await pools.append("f", "job-3", 0, (THREE,)) is None
    begun = await pools.append("g", "job-3", 7, (THREE,))
    assert begun is not None
    assert begun.generation > 7
    assert (await pools.read("f")).pictures == (ONE, TWO)
    assert 0 < await desk.redis.ttl(_keys.pool("f")) <= 600


async def replacements(desk: Any) -> None:
    pools = Pools(desk.redis, ttl_s=600)
    await pools.append("f", "a", 0, (ONE,))
    read = await pools.read("f")
    await pools.append("f", "b", read.generation, (TWO,))
    await pools.replace("f", read, ())
    grown = await pools.read("f")
    assert grown.pictures == (ONE, TWO)
    await desk.redis.hset(_keys.pool("f"), "generation", str(LATER_MS))
    await pools.replace("f", grown, ())
    ahead = await pools.read("f")
    assert ahead.pictures == (ONE, TWO)
    await pools.replace("f", ahead, (TWO,))
    left = await pools.read("f")
    assert (left.pictures, left.generation) == ((TWO,), LATER_MS + 1)
    assert await pools.append("f", "a", left.generation, (ONE,)) == Seen(left.generation, 2)


async def old_jobs(desk: Any) -> None:
    ended = await desk.bring("a", "f", "accepted")
    await desk.one.settle(ended, Settlement(state="unknown", charge=100))
    await desk.bring("b", "g", "accepted")
    young: dict[str, Any] = {
        "ended_jobs": _keys.ended_jobs(UPSTREAM),
        "submits": _keys.submits(UPSTREAM),
        "more_keys": [_keys.job("a"), _keys.job("b")],
        "more_args": ["a", "b"],
    }
    before_ms = await desk.one.now_ms() - 60_000
    assert await sweep._JOBS(desk.redis, before_ms=before_ms, **young) == 0
    assert await sweep._JOBS(desk.redis, before_ms=LATER_MS, **young) == 1
    assert await desk.one.read("a") is None
    assert await desk.one.read("b") is not None
    assert await desk.redis.hgetall(young["submits"]) == {"fal-b": "b"}
    assert await desk.members(young["ended_jobs"]) == []


async def old_markers(desk: Any) -> None:
    for job_id, fingerprint in [("a", "f"), ("b", "g"), ("c", "h")]:
        job = await desk.bring(job_id, fingerprint, "paid")
        await desk.one.finish(job, (), Seen(7, 1))
    assert await desk.hold("d", "g", generation=7, count=1) == Held()
    await desk.redis.zadd(_keys.MARKERS, {"f": 1, "g": 1})
    forgotten = await sweep._FLIGHTS(
        desk.redis,
        markers=_keys.MARKERS,
        more_keys=[_keys.flight(fingerprint) for fingerprint in "fgh"],
        more_args=["f", "g", "h"],
    )
    assert forgotten == 2
    flights = await desk.redis.mget(*(_keys.flight(fingerprint) for fingerprint in "fgh"))
    assert flights == [None, "open:d", "done:c:7:1"]
    assert await desk.members(_keys.MARKERS) == ["h"]


SCENARIOS = (appends, replacements, old_jobs, old_markers)
APPEND, REPLACE = "pools_append", "pools_replace"
JOBS, FLIGHTS = "jobs_sweep", "flights_sweep"
MUTANTS = {
    "appended_again": (APPEND, "if (' ' .. jobs):find(' ' .. job_id .. ' ', 1, true)", "if false"),
    "part_of_an_id": (APPEND, "(' ' .. jobs):find(' ' .. job_id .. ' '", "jobs:find(job_id"),
    "any_generation": (
        APPEND,
        "if known[1] and known[1] ~= generation then return {} end",
        "",
    ),
    "gone_is_another_generation": (APPEND, "if known[1] and known[1] ~=", "if known[1] ~="),
    "no_first_generation": (APPEND, "generation = whole(now_ms())", "generation = '0'"),
    "duplicates": (APPEND, "if not pictures:find(ARGV[i], 1, true) then", "if true then"),
    "not_counted": (APPEND, "count = count + 1", ""),
    "never_expires": (APPEND, "redis.call('EXPIRE', pool, ttl_s)", ""),
    "job_not_noted": (APPEND, "jobs .. job_id .. ' '", "jobs"),
    "replaced_another_generation": (REPLACE, "known[1] ~= generation or ", ""),
    "replaced_what_has_grown": (REPLACE, " or known[2] ~= count", ""),
    "same_generation": (REPLACE, "digits(generation) + 1", "digits(generation)"),
    "generation_by_the_clock": (REPLACE, "math.max(digits(generation) + 1, now_ms())", "now_ms()"),
    "old_count": (REPLACE, "whole(new_count),\n", "count,\n"),
    "old_jobs_kept": (REPLACE, "'jobs', ''", "'more', ''"),
    "swept_while_young": (JOBS, " and tonumber(ended) < before_ms", ""),
    "swept_while_open": (
        JOBS,
        "if ended and tonumber(ended)",
        "if (ended or 0) and tonumber(ended or 0)",
    ),
    "ids_kept": (JOBS, "if request_id then", "if false then"),
    "ended_kept": (JOBS, "redis.call('ZREM', ended_jobs, job_id)", ""),
    "young_markers": (FLIGHTS, " and tonumber(until_ms) <= now", ""),
    "open_flights": (FLIGHTS, "claim:sub(1, 5) == 'done:'", "claim"),
    "flight_kept": (FLIGHTS, "redis.call('DEL', KEYS[i])", ""),
    "marker_kept": (FLIGHTS, "redis.call('ZREM', markers, fingerprint)", ""),
}


async def test_the_scripts_as_they_are_pass(survives: Callable[..., Awaitable[bool]]) -> None:
    assert await survives(APPEND, "return {}", "return {}", SCENARIOS)


@pytest.mark.parametrize("url", ["valkey"], indirect=True)
@pytest.mark.parametrize("name", MUTANTS)
async def test_a_changed_script_is_noticed(
    name: str, survives: Callable[..., Awaitable[bool]]
) -> None:
    script, text, other = MUTANTS[name]

    assert not await survives(script, text, other, SCENARIOS)

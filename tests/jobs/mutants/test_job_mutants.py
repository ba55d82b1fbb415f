"""Changes to the life of a job after its hold that must not go unnoticed."""

from typing import Any

import pytest
from booked import booked
from judging import Suite, suite_of

from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION
from falgate.core.errors import Unavailable
from falgate.jobs.job import Fenced
from falgate.jobs.settlement import Settlement
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
OPEN, ENDED = keyspace.open_jobs(UPSTREAM), keyspace.ended_jobs(UPSTREAM)
PAID = Settlement(state="paid", charge=60)
RELEASED = Settlement(state="released", charge=0)


async def marks(desk: Any) -> None:
    job = await desk.bring("a", "f", "reserved")
    await desk.lapse("a")
    with pytest.raises(Fenced):
        await desk.one.mark(job)
    adopted = await desk.two.adopt("a", UPSTREAM)
    assert adopted is not None
    assert (adopted.owner, adopted.epoch) == ("two", 2)
    assert await desk.one.adopt("a", UPSTREAM) is None
    with pytest.raises(Fenced):
        await desk.one.mark(job)
    await desk.two.mark(adopted)
    await desk.two.mark(adopted)
    assert await desk.one.accept(adopted, "fal-a")
    with pytest.raises(Fenced):
        await desk.two.mark(adopted)


async def ids(desk: Any) -> None:
    job = await desk.bring("a", "f", "accepted")
    other = await desk.bring("b", "g", "submitting")
    assert not await desk.one.accept(job, "fal-x")
    assert not await desk.one.accept(other, "fal-a")
    assert await desk.one.accept(job, "fal-a")
    unknown = Settlement(state="unknown", charge=100)
    await desk.one.settle(other, unknown)
    assert await desk.one.accept(other, "fal-b")
    assert (await desk.read("b")).state == "unknown"
    assert await desk.members(OPEN) == ["a"]
    assert not await desk.one.accept(await desk.bring("c", "h", "submitting"), "fal-b")


async def leases(desk: Any) -> None:
    job = await desk.bring("a", "f", "accepted")
    assert await desk.two.adopt("a", UPSTREAM) is None
    assert await desk.one.renew(job, lease_ms=0)
    adopted = await desk.two.adopt("a", UPSTREAM)
    assert adopted is not None
    assert not await desk.one.renew(job)
    with pytest.raises(Fenced):
        await desk.one.mark_uncertain(job, "lost")
    with pytest.raises(Fenced):
        await desk.one.settle(job, PAID)
    await desk.two.settle(adopted, RELEASED)
    assert not await desk.two.renew(adopted)
    with pytest.raises(Fenced):
        await desk.two.mark_uncertain(adopted, "lost")
    assert await desk.members(OPEN) == []


async def settlements(desk: Any) -> None:
    await desk.limit("total", 700)
    marked = await desk.bring("a", "f", "submitting")
    assert await desk.one.accept(marked, "fal-a")
    with pytest.raises(Fenced):
        await desk.one.settle(marked, RELEASED)
    job = await desk.read("a")
    for _ in range(2):
        await desk.one.settle(job, Settlement(state="paid", charge=130))
    assert await desk.figures() == (100, 0, 30)
    assert (await desk.read("a")).remaining == 600
    assert await desk.members(OPEN) == ["a"]
    with pytest.raises(Fenced):
        await desk.one.settle(job, Settlement(state="unknown", charge=130))
    await desk.one.finish(await desk.read("a"), (), None)
    await desk.one.settle(job, Settlement(state="paid", charge=130))
    held = await desk.bring("b", "g", "reserved")
    await desk.redis.set(keyspace.flight("g"), "open:x")
    await desk.one.settle(held, RELEASED)
    assert await desk.redis.get(keyspace.flight("g")) == "open:x"
    freed = await desk.bring("c", "h", "reserved")
    await desk.one.settle(freed, RELEASED)
    assert await desk.redis.exists(keyspace.flight("h")) == 0
    assert "input" not in await desk.redis.hkeys(keyspace.job("c"))
    assert await desk.figures() == (100, 0, 30)
    assert len(await booked(desk.redis, UPSTREAM)) == 3
    broken = await desk.bring("d", "i", "accepted")
    await desk.redis.hset(keyspace.job("d"), "flight", "another")
    with pytest.raises(Unavailable):
        await desk.one.settle(broken, PAID)
    await desk.redis.delete(keyspace.job("d"), keyspace.flight("i"))


async def turns(desk: Any) -> None:
    account, slots = keyspace.account(UPSTREAM, ORGANISATION), keyspace.slots(UPSTREAM)
    await desk.limit("day", 1_000, alerts=(5, 10))
    reserved = await desk.bring("a", "f", "reserved")
    assert await desk.redis.hmget(account, "open", "waiting") == ["1", "100"]
    await desk.redis.zrem(slots, "a:t")
    with pytest.raises(Fenced):
        await desk.one.mark(reserved)
    assert await desk.one.turn(reserved)
    await desk.one.mark(reserved)
    assert await desk.redis.hmget(account, "open", "waiting") == ["1", "0"]
    await desk.one.mark_uncertain(await desk.read("a"), "lost")
    assert await desk.members(slots) == []
    for job_id, fingerprint in (("b", "g"), ("c", "h")):
        await desk.bring(job_id, fingerprint, "paid")
    await desk.one.settle(await desk.bring("d", "i", "reserved"), RELEASED)
    assert await desk.members(slots) == []
    assert await desk.redis.hmget(account, "open", "waiting") == ["1", "0"]
    assert await desk.redis.xlen(keyspace.ALERTS) == 2
    usages = [key async for key in desk.redis.scan_iter("*usage*")]
    assert [await desk.redis.hget(usage, "t/p:billed") for usage in usages] == ["120"]


async def ends(desk: Any) -> None:
    accepted = await desk.bring("a", "f", "accepted")
    with pytest.raises(Fenced):
        await desk.one.finish(accepted, (), None)
    paid = await desk.bring("b", "g", "paid")
    await desk.one.renew(paid, lease_ms=0)
    adopted = await desk.two.adopt("b", UPSTREAM)
    assert adopted is not None
    with pytest.raises(Fenced):
        await desk.one.finish(paid, (), None)
    await desk.redis.set(keyspace.flight("g"), "open:x")
    for _ in range(2):
        await desk.two.finish(adopted, (), PoolVersion(7, 1))
    assert await desk.redis.get(keyspace.flight("g")) == "open:x"
    assert "input" not in await desk.redis.hkeys(keyspace.job("b"))
    assert await desk.members(OPEN) == ["a"]
    assert await desk.members(ENDED) == ["b"]


MARK, ACCEPT, RENEW, ADOPT = "jobs_mark", "jobs_accept", "jobs_renew", "jobs_adopt"
UNCERTAIN, SETTLE, FINISH = "jobs_uncertain", "jobs_settle", "jobs_finish"
SUITE = Suite()
SUITE[marks] = {
    "mark_of_any_epoch": (MARK, "if known[2] ~= epoch then return 0 end", ""),
    "mark_in_any_state": (MARK, "known[1] ~= 'reserved' or ", ""),
    "mark_after_the_lease": (MARK, " or lease_until <= now", ""),
    "mark_not_repeated": (MARK, "if known[1] == 'submitting' then", "if false then"),
    "adopted_from_its_owner": (ADOPT, " or tonumber(lease_until) > now", ""),
    "adopted_without_an_epoch": (ADOPT, "'epoch', 1", "'epoch', 0"),
    "adopted_without_an_owner": (ADOPT, "redis.call('HSET', job, 'owner', owner)", ""),
    "adopted_twice": (ADOPT, "redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)", ""),
}
SUITE[ids] = {
    "mark_unwritten": (MARK, "'submitting', 'submitted_ms'", "'reserved', 'submitted_ms'"),
    "id_of_another_job": (ACCEPT, "(bound and bound ~= job_id) or ", ""),
    "second_id": (ACCEPT, " or (known[2] and known[2] ~= request_id)", ""),
    "id_not_bound": (ACCEPT, "redis.call('HSET', submits, request_id, job_id)", ""),
    "accept_reopens": (
        ACCEPT,
        "if known[1] == 'submitting' or known[1] == 'reserved' then",
        "if known[1] then",
    ),
    "ended_stays_open": (SETTLE, "redis.call('ZREM', open_jobs, job_id)", ""),
}
SUITE[leases] = {
    "renewed_by_anybody": (
        RENEW,
        "if redis.call('HGET', job, 'epoch') ~= epoch then return 0 end",
        "",
    ),
    "renewed_after_its_end": (
        RENEW,
        "if not redis.call('ZSCORE', open_jobs, job_id) then return 0 end",
        "",
    ),
    "uncertain_by_anybody": (UNCERTAIN, "if known[1] ~= epoch then return 0 end", ""),
    "uncertain_after_its_end": (
        UNCERTAIN,
        "if not redis.call('ZSCORE', open_jobs, job_id) then return 0 end",
        "",
    ),
    "settled_by_anybody": (
        SETTLE,
        "if known[1] ~= from or known[2] ~= epoch",
        "if known[1] ~= from",
    ),
}
SUITE[settlements] = {
    "settled_again": (
        SETTLE,
        "if known[7] == to and known[2] == epoch then",
        "if false then",
    ),
    "settled_from_any_state": (SETTLE, "known[1] ~= from or ", ""),
    "settled_another_flight": (SETTLE, "if flight ~= known[6] then", "if false then"),
    "charged_above_the_hold": (SETTLE, "math.min(charge, held)", "charge"),
    "charged_the_hold": (SETTLE, "math.min(charge, held)", "held"),
    "hold_not_given_back": (SETTLE, "'held:' .. name, '-' .. known[3])", "'held:' .. name, '0')"),
    "not_spent": (SETTLE, "'spent:' .. name, whole(charged)", "'spent:' .. name, '0'"),
    "first_window_only": (SETTLE, "known[4]:gmatch('%S+')", "known[4]:gmatch('^%S+')"),
    "overage_spared": (SETTLE, "if overrun > 0 then", "if false then"),
    "remaining_of_the_widest": (SETTLE, "left < remaining", "left > remaining"),
    "remaining_forgets_spending": (
        SETTLE,
        "budget.limit - budget.spent - budget.held",
        "budget.limit - budget.held",
    ),
    "entry_elsewhere": (SETTLE, "'XADD', ledger", "'XADD', ledger .. ':x'"),
    "paid_has_no_lease": (SETTLE, "if to == 'paid' then", "if false then"),
    "prompt_kept_by_the_end": (SETTLE, "redis.call('HDEL', job, 'input')", ""),
    "end_takes_any_flight": (
        SETTLE,
        "if redis.call('GET', flight) == 'open:' .. job_id then",
        "if true then",
    ),
    "end_keeps_the_flight": (SETTLE, "then redis.call('DEL', flight) end", "then end"),
}
SUITE[ends] = {
    "finished_from_any_state": (FINISH, "known[1] ~= 'paid' or ", ""),
    "finished_by_anybody": (FINISH, " or known[2] ~= epoch", ""),
    "finished_once_only": (FINISH, "if known[1] == 'finished' then return 'finished' end", ""),
    "finish_takes_any_flight": (
        FINISH,
        "if redis.call('GET', flight) == 'open:' .. job_id then",
        "if true then",
    ),
    "finished_stays_open": (FINISH, "redis.call('ZREM', open_jobs, job_id)", ""),
    "prompt_kept_by_the_finish": (FINISH, "'input', 'output'", "'output'"),
    "never_swept": (FINISH, "redis.call('ZADD', ended_jobs, whole(now), job_id)", ""),
}
SUITE[turns] = {
    "slot_not_given_on": (SETTLE, "redis.call('ZREM', slots, known[8])", ""),
    "still_at_work": (SETTLE, "redis.call('HINCRBY', account, 'open', -1)", ""),
    "still_waiting": (SETTLE, "if from == 'reserved' then", "if false then"),
    "waits_after_its_mark": (
        MARK,
        "redis.call('HINCRBY', KEYS[i], 'waiting', '-' .. known[3])",
        "",
    ),
    "mark_without_a_turn": (
        MARK,
        "if not redis.call('ZSCORE', slots, known[5]) then return 0 end",
        "",
    ),
    "uncertain_keeps_its_slot": (UNCERTAIN, "redis.call('ZREM', slots, known[2])", ""),
    "no_alerts": (SETTLE, "if charged > 0 then cross(alerts, account, name, budget, 0) end", ""),
    "alerts_again": (
        "_budgets",
        "percent > tonumber(redis.call('HGET', account, mark) or '0')",
        "true",
    ),
    "usage_not_counted": (SETTLE, "if number > 0 then", "if false then"),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

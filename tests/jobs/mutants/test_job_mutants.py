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


async def marks(world: Any) -> None:
    job = await world.bring("a", "f", "reserved")
    await world.lapse("a")
    with pytest.raises(Fenced):
        await world.one.mark(job)
    adopted = await world.two.adopt("a", UPSTREAM)
    assert adopted is not None
    assert (adopted.owner, adopted.epoch) == ("two", 2)
    assert await world.one.adopt("a", UPSTREAM) is None
    with pytest.raises(Fenced):
        await world.one.mark(job)
    await world.two.mark(adopted)
    await world.two.mark(adopted)
    assert await world.one.accept(adopted, "fal-a")
    with pytest.raises(Fenced):
        await world.two.mark(adopted)


async def ids(world: Any) -> None:
    job = await world.bring("a", "f", "accepted")
    other = await world.bring("b", "g", "submitting")
    assert not await world.one.accept(job, "fal-x")
    assert not await world.one.accept(other, "fal-a")
    assert await world.one.accept(job, "fal-a")
    unknown = Settlement(state="unknown", charge=100)
    await world.one.settle(other, unknown)
    assert await world.one.accept(other, "fal-b")
    assert (await world.read("b")).state == "unknown"
    assert await world.members(OPEN) == ["a"]
    assert not await world.one.accept(await world.bring("c", "h", "submitting"), "fal-b")


async def leases(world: Any) -> None:
    job = await world.bring("a", "f", "accepted")
    assert await world.two.adopt("a", UPSTREAM) is None
    assert await world.one.renew(job, lease_ms=0)
    adopted = await world.two.adopt("a", UPSTREAM)
    assert adopted is not None
    assert not await world.one.renew(job)
    with pytest.raises(Fenced):
        await world.one.mark_uncertain(job, "lost")
    with pytest.raises(Fenced):
        await world.one.settle(job, PAID)
    await world.two.settle(adopted, RELEASED)
    assert not await world.two.renew(adopted)
    with pytest.raises(Fenced):
        await world.two.mark_uncertain(adopted, "lost")
    assert await world.members(OPEN) == []


async def settlements(world: Any) -> None:
    await world.limit("total", 700)
    marked = await world.bring("a", "f", "submitting")
    assert await world.one.accept(marked, "fal-a")
    with pytest.raises(Fenced):
        await world.one.settle(marked, RELEASED)
    job = await world.read("a")
    for _ in range(2):
        await world.one.settle(job, Settlement(state="paid", charge=130))
    assert await world.figures() == (100, 0, 30)
    assert (await world.read("a")).remaining == 600
    assert await world.members(OPEN) == ["a"]
    with pytest.raises(Fenced):
        await world.one.settle(job, Settlement(state="unknown", charge=130))
    await world.one.finish(await world.read("a"), (), None)
    await world.one.settle(job, Settlement(state="paid", charge=130))
    held = await world.bring("b", "g", "reserved")
    await world.redis.set(keyspace.flight("g"), "open:x")
    await world.one.settle(held, RELEASED)
    assert await world.redis.get(keyspace.flight("g")) == "open:x"
    freed = await world.bring("c", "h", "reserved")
    await world.one.settle(freed, RELEASED)
    assert await world.redis.exists(keyspace.flight("h")) == 0
    assert "input" not in await world.redis.hkeys(keyspace.job("c"))
    assert await world.figures() == (100, 0, 30)
    assert len(await booked(world.redis, UPSTREAM)) == 3
    broken = await world.bring("d", "i", "accepted")
    await world.redis.hset(keyspace.job("d"), "flight", "another")
    with pytest.raises(Unavailable):
        await world.one.settle(broken, PAID)
    await world.redis.delete(keyspace.job("d"), keyspace.flight("i"))


async def turns(world: Any) -> None:
    slots = keyspace.slots(UPSTREAM)
    model = keyspace.account(UPSTREAM, world.order().accounts[-1])
    account = keyspace.account(UPSTREAM, ORGANISATION)
    await world.limit("day", 1_000, alerts=(5, 10))
    reserved = await world.bring("a", "f", "reserved")
    for each in (account, model):
        assert await world.redis.hmget(each, "open", "waiting") == ["1", "100"]
    await world.redis.zrem(slots, "a:t")
    with pytest.raises(Fenced):
        await world.one.mark(reserved)
    assert await world.one.turn(reserved)
    await world.one.mark(reserved)
    for each in (account, model):
        assert await world.redis.hmget(each, "open", "waiting") == ["1", "0"]
    await world.one.mark_uncertain(await world.read("a"), "lost")
    assert await world.members(slots) == []
    for job_id, fingerprint in (("b", "g"), ("c", "h")):
        await world.bring(job_id, fingerprint, "paid")
    await world.one.settle(await world.bring("d", "i", "reserved"), RELEASED)
    assert await world.members(slots) == []
    for each in (account, model):
        assert await world.redis.hmget(each, "open", "waiting") == ["1", "0"]
    assert await world.redis.xlen(keyspace.ALERTS) == 2
    usages = [key async for key in world.redis.scan_iter("*usage*")]
    assert [await world.redis.hget(usage, "t/p:billed") for usage in usages] == ["120"]


async def ends(world: Any) -> None:
    accepted = await world.bring("a", "f", "accepted")
    with pytest.raises(Fenced):
        await world.one.finish(accepted, (), None)
    paid = await world.bring("b", "g", "paid")
    await world.one.renew(paid, lease_ms=0)
    adopted = await world.two.adopt("b", UPSTREAM)
    assert adopted is not None
    with pytest.raises(Fenced):
        await world.one.finish(paid, (), None)
    await world.redis.set(keyspace.flight("g"), "open:x")
    for _ in range(2):
        await world.two.finish(adopted, (), PoolVersion(7, 1))
    assert await world.redis.get(keyspace.flight("g")) == "open:x"
    assert "input" not in await world.redis.hkeys(keyspace.job("b"))
    assert await world.members(OPEN) == ["a"]
    assert await world.members(ENDED) == ["b"]


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
    "all_but_the_model": (SETTLE, "i = first_account, #KEYS do", "i = first_account, #KEYS - 1 do"),
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
    "the_model_waits_after_the_mark": (
        MARK,
        "for i = first_account, #KEYS do redis",
        "for i = first_account, #KEYS - 1 do redis",
    ),
    "mark_without_a_turn": (
        MARK,
        "if not slot_ms then return 0 end",
        "slot_ms = slot_ms or '0'",
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

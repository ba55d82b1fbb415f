"""Changes to the hold that must not go unnoticed."""

import json
from typing import Any

import pytest
from judging import Suite, suite_of

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Kind
from falgate.core.errors import Unavailable
from falgate.core.events import Overdrawn
from falgate.jobs import verdicts
from falgate.jobs.settlement import Settlement
from falgate.jobs.store import hold
from falgate.jobs.verdicts import NOBODY, Denied, Held, Joined, PoolChanged, Vacant, Waiter
from falgate.money.frozen import Frozen
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
ACCOUNT = keyspace.account(UPSTREAM, ORGANISATION)


async def limits(world: Any) -> None:
    kinds: list[Kind] = ["day", "total"]
    for kind in kinds:
        await world.limit("day", 1_000)
        await world.limit("total", 1_000)
        await world.limit(kind, 250)
        if kind == "day":
            assert await world.hold("a", "f") == Held()
            await world.bring("b", "g", "paid")
        assert isinstance(await world.hold("c", "h", held=91), Denied)
    assert await world.hold("c", "h", held=90) == Held()
    assert await world.figures() == (60, 190, 0)
    assert await world.hold("c", "h", held=90) == Held()
    assert await world.figures() == (60, 190, 0)
    await world.redis.hdel(ACCOUNT, "budget:day", "budget:total")
    await world.limit("hour", 10_000, shadow=True)
    assert await world.hold("d", "i") == verdicts.NoBudget()
    await world.redis.hset(keyspace.META, "id", "other")
    assert await world.hold("d", "i") == verdicts.LedgerMismatch()


async def reliefs(world: Any) -> None:
    await world.limit("day", 100)
    await world.bring("a", "f", "paid")
    for _ in range(2):
        await world.budgets.raise_(UPSTREAM, ORGANISATION, "day", 20, change="1", who="w")
    assert isinstance(await world.hold("b", "g", held=61), Denied)
    assert await world.hold("b", "g", held=60) == Held()
    for _ in range(2):
        await world.budgets.reset(UPSTREAM, ORGANISATION, "day", change="2", who="w")
    assert isinstance(await world.hold("c", "h", held=61), Denied)
    assert await world.hold("c", "h", held=60) == Held()


async def overage(world: Any) -> None:
    await world.bring("a", "f", "paid", charge=110)
    assert await world.figures() == (100, 0, 10)
    await world.budgets.set_overage(UPSTREAM, 11, "test")
    assert await world.hold("b", "g") == Held()
    await world.budgets.set_overage(UPSTREAM, 10, "test")
    assert await world.hold("c", "h") == verdicts.OverageFull(10, 10)
    await world.redis.delete(keyspace.overage(UPSTREAM))
    assert await world.hold("c", "h") == verdicts.OverageFull(0, 0)


async def flights(world: Any) -> None:
    job = await world.bring("a", "f", "paid")
    assert await world.hold("b", "f") == Joined("a")
    await world.one.finish(job, (), PoolVersion(7, 2))
    assert await world.redis.get(keyspace.flight("f")) == "done:a:7:2"
    for generation, count in [(6, 9), (7, 1)]:
        stale = await world.hold("b", "f", generation=generation, count=count)
        assert stale == PoolChanged(7, 2)
    assert await world.hold("b", "f", generation=7, count=2) == Held()
    assert await world.redis.get(keyspace.flight("f")) == "open:b"
    await world.one.finish(await world.bring("c", "g", "paid"), (), PoolVersion(7, 1))
    assert await world.hold("d", "g", generation=8) == Held()
    before = await world.figures()
    company = Waiter(request="", joins=True)
    assert (
        await world.one.hold(world.order("e", "h"), PoolVersion(), PurchaseLimits(), company)
        == Vacant()
    )
    assert await world.figures() == before
    await world.one.finish(await world.bring("e", "h", "paid"), (), None)
    assert await world.redis.exists(keyspace.flight("h")) == 0


async def alerts(world: Any) -> None:
    await world.limit("day", 250, alerts=(100, 200))
    await world.limit("hour", 150, shadow=True)
    await world.bring("a", "f", "paid")
    assert await world.hold("b", "g", held=189) == Held((Overdrawn(ORGANISATION, "hour"),))
    assert await world.redis.xlen(keyspace.ALERTS) == 0
    for _ in range(2):
        assert isinstance(await world.hold("c", "h", held=2), Denied)
    await world.hold("d", "i", held=1)
    found = [fields for _, fields in await world.redis.xrange(keyspace.ALERTS)]
    assert [(each["what"], each["percent"], each["held"]) for each in found] == [
        ("refused", "0", "189"),
        ("threshold", "100", "190"),
    ]


async def amounts(world: Any) -> None:
    await world.bring("b", "g", "accepted")
    for bad in ["nan", "-1", "0x1", "1e1", " 5 ", "9" * 16, "0"]:
        odd: Any = bad
        with pytest.raises(Unavailable):
            await world.hold("a", "f", held=odd)
        if bad != "0":
            job = await world.read("b")
            # What the script lets through is no number for anybody who reckons with it later.
            with pytest.raises((Unavailable, TypeError)) as refused:
                await world.one.settle(job, Settlement(state="paid", charge=odd))
            assert refused.type is Unavailable
    assert await world.figures() == (0, 100, 0)


async def windows(world: Any) -> None:
    now_ms = await world.one.now_ms()
    for starts_ms, ends_ms in [(now_ms + 60_000, now_ms + 90_000), (1, now_ms - 1)]:
        window = {"kind": "day", "id": "x", "starts_ms": starts_ms, "ends_ms": ends_ms}
        reply = await hold._HOLD(
            world.redis,
            upstream=UPSTREAM,
            more_keys=[ACCOUNT, keyspace.pace(UPSTREAM, ORGANISATION)],
            tags=keyspace.turns(UPSTREAM),
            calendar=await world.redis.hget(keyspace.META, "calendar"),
            **hold._beside(world.order("a", "f")),
            stoppable='["organisation:main"]',
            charged=json.dumps(
                [{"level": "organisation", "id": "main", "per_minute": 0, "at_once": 0}]
            ),
            **{"class": "normal"},
            weight=1,
            waiting_max=0,
            slots_max=0,
            channel=keyspace.MOVED,
            ledger_id=str(await world.redis.hget(keyspace.META, "id")),
            job_id="a",
            owner="one",
            lease_ms=1,
            amount=1,
            generation=0,
            count=0,
            windows=json.dumps([window]),
            order="{}",
            input="{}",
            **hold.waits_for(world.order(), NOBODY),
        )
        assert reply[0] == "elsewhen"


async def levels(world: Any) -> None:
    _, team, app, key, model = world.order().accounts
    for charged in (team, app, key, model):
        await world.limit("month", 100, charged)
        assert isinstance(await world.hold("a", "f", held=101), Denied)
        await world.limit("month", 1_000, charged)
    await world.limit("week", 10, team, shadow=True)
    assert await world.hold("a", "f") == Held((Overdrawn(team, "week"),))
    assert await world.hold("b", "g", changes={"team": "u"}) == Held()
    for charged, held in ((Account("team", "u"), 100), (model, 200)):
        found = {p.held for p in await world.budgets.positions(UPSTREAM, charged)}
        assert found == {held}
    # An earlier version held nothing on the model.
    assert await world.hold("c", "i", changes={"team": "u", "endpoint": ""}) == Held()
    assert {p.held for p in await world.budgets.positions(UPSTREAM, model)} == {200}


async def servers(world: Any) -> None:
    assert await world.hold("a", "f") == Held()
    await world.redis.hset(keyspace.META, "calendar", "other")
    assert await world.hold("b", "g") == verdicts.OtherCalendar("other")
    await world.redis.hset(keyspace.META, "frozen_ms", "1")
    assert await world.hold("b", "g") == Frozen("lost")
    await world.redis.hset(keyspace.META, "frozen_why", "counters")
    assert await world.hold("b", "g") == Frozen("counters")
    await world.redis.hset(keyspace.META, "history", "another")
    with pytest.raises(Unavailable):
        await world.hold("b", "g")
    assert await world.hold("a", "f") == Held()


HOLD, PRELUDE, BUDGETS = "jobs_hold", "_prelude", "_budgets"
SUITE = Suite()
SUITE[limits] = {
    "any_ledger": (HOLD, "~= ledger_id", "== ''"),
    "holds_again": (HOLD, "redis.call('EXISTS', job) == 1", "false"),
    "after_its_window": (HOLD, " or now >= window.ends_ms", ""),
    "one_above_the_limit": (HOLD, "> budget.limit", "> budget.limit + 1"),
    "not_the_whole_limit": (HOLD, "> budget.limit", ">= budget.limit"),
    "spent_is_free": (HOLD, "budget.spent + budget.held + amount", "budget.held + amount"),
    "held_is_free": (HOLD, "budget.spent + budget.held + amount", "budget.spent + amount"),
    "amount_is_free": (HOLD, "budget.spent + budget.held + amount", "budget.spent + budget.held"),
    "first_window_only": (
        HOLD,
        "in ipairs(names) do\n    local budget",
        "in ipairs({names[1]}) do\n    local budget",
    ),
    "second_window_only": (
        HOLD,
        "in ipairs(names) do\n    local budget",
        "in ipairs({names[2]}) do\n    local budget",
    ),
    "shadows_are_enough": (HOLD, "and budget and not budget.shadow then", "and budget then"),
    "no_budget_needed": (HOLD, "if not enforced then", "if false then"),
    "nothing_held": (HOLD, "'held:' .. name, whole(amount))", "'held:' .. name, 0)"),
    "holds_in_one_window": (
        HOLD,
        "for _, name in ipairs(names) do redis",
        "for _, name in ipairs({names[1]}) do redis",
    ),
}
SUITE[reliefs] = {
    "raises_do_not_count": (BUDGETS, " + tonumber(f[2] or '0'),", ","),
    "resets_do_not_count": (BUDGETS, " - tonumber(f[4] or '0')", ""),
}
SUITE[overage] = {
    "overage_needs_no_limit": (HOLD, "not kept[1] or ", "kept[1] and "),
    "overage_may_be_full": (HOLD, "overrun >= digits", "overrun > digits"),
    "overage_never_full": (HOLD, "(overrun > 0 and overrun >= digits(kept[1]))", "false"),
}
SUITE[flights] = {
    "never_joins": (HOLD, "if under_way then", "if false then"),
    "no_older_generation": (HOLD, "generation < made or ", ""),
    "any_generation": (HOLD, "generation < made", "generation <= made"),
    "count_of_any_generation": (HOLD, "(generation == made and count < length)", "count < length"),
    "no_count": (HOLD, " or (generation == made and count < length)", ""),
    "count_off_by_one": (HOLD, "count < length", "count <= length"),
    "no_claim": (HOLD, "redis.call('SET', flight, 'open:' .. job_id)", ""),
    "joined_nobody": (HOLD, "if joins == '1' then", "if false then"),
}
SUITE[alerts] = {
    "shadows_refuse": (HOLD, "if short and not budget.shadow then", "if short then"),
    "shadows_unheard": (HOLD, "elseif short then", "elseif false then"),
    "refusals_unheard": (HOLD, "refuse(alerts, one[1], one[2], one[3])", ""),
    "refusals_again": (
        BUDGETS,
        "if redis.call('HSETNX', account, 'refused:' .. name, '1') == 1",
        "if true",
    ),
    "shadows_alert_of_refusals": (
        HOLD,
        "    if short and not budget.shadow then\n      refusing",
        (
            "    if short then\n      refusing[#refusing + 1] = looked[#looked]\n    end\n    "
            "if short and not budget.shadow then\n      refusing"
        ),
    ),
    "a_hold_fills_nothing": (HOLD, "one[3].held = one[3].held + amount", ""),
    "filled_unheard": (HOLD, "cross(alerts, one[1], one[2], one[3], 100)", ""),
}
SUITE[amounts] = {
    "free_hold": (HOLD, "if amount == 0 then", "if false then"),
    "any_text_is_an_amount": (PRELUDE, " or not text:match('^%d+$')", ""),
    "ends_in_digits": (PRELUDE, "'^%d+$'", "'%d+$'"),
    "begins_with_digits": (PRELUDE, "'^%d+$'", "'^%d+'"),
    "long_amounts": (PRELUDE, " or #text > 15", ""),
}
SUITE[windows] = {"before_its_window": (HOLD, "now < window.starts_ms or ", "")}
SUITE[levels] = {
    "the_organisation_only": (HOLD, "for i = 1, #paced do", "for i = 1, 1 do"),
    "all_but_the_model": (HOLD, "for i = 1, #paced do", "for i = 1, #paced - 1 do"),
    "held_on_all_but_the_model": (
        HOLD,
        "for i, one in ipairs(paced) do\n  local account = keys[i]\n",
        "for i = 1, math.min(#paced, 4) do\n  local account, one = keys[i], paced[i]\n",
    ),
}
SUITE[servers] = {
    "other_calendar": (HOLD, "if known[4] ~= calendar then", "if false then"),
    "never_frozen": (HOLD, "if known[3] then", "if false then"),
    "frozen_for_no_reason": (HOLD, "known[5] or 'lost'", "'lost'"),
    "any_history": (HOLD, "known[2] ~= history_now()", "false"),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)

"""Changes to the scripts of corrections and recovery that must not go unnoticed."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from adding_up import assert_added_up
from aged import Aged
from judging import change, noticed
from redis.asyncio import Redis

from falgate.billing.closed_job import ClosedJob, Recovered
from falgate.billing.store import corrections, recovery
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.recovery import Recovery
from falgate.core.account import ORGANISATION, chain
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.money.charge import Charge
from falgate.money.frozen import Frozen
from falgate.money.store import ledger
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.money.store.verify import verify
from falgate.redis import keyspace, usage_keys
from falgate.redis.script import Script

UPSTREAM = "https://queue.example"
DAY_MS = 86_400_000
NAMES = {
    "ledger_correct": (corrections, "_CORRECT"),
    "ledger_recover": (recovery, "_RECOVER"),
    "ledger_thaw": (recovery, "_THAW"),
    "ledger_mend": (recovery, "_MEND"),
    "ledger_trust": (ledger, "_TRUST"),
}

Paid = Callable[[str, int], Awaitable[None]]


async def refused(posted: Awaitable[Any]) -> bool:
    try:
        return not await posted
    except Unavailable:
        return True


async def corrects(redis: Redis, books: Corrections, budgets: Budgets, paid: Paid) -> None:
    """Everything that is promised of corrections, in short."""
    await paid("a", 60)
    [[found]] = [page async for page in books.closes(UPSTREAM, 0, 10**14)]

    def other(**changes: Any) -> ClosedJob:
        return msgspec.structs.replace(found, **changes)

    for wrong in (
        {"key": "x"},
        {"job": "x"},
        {"outcome": "recovered"},
        {"charged_model": "x"},
        {"charged_model": ""},
        {"windows": found.windows.replace("day:", "day:1")},
        {"charge": Charge(59, 0)},
        {"charge": Charge(60, 1)},
    ):
        assert await refused(books.correct(UPSTREAM, other(**wrong), Charge(45, 0), "w")), wrong
    assert await refused(books.correct(UPSTREAM, found, Charge(101, 0), "w"))
    account = keyspace.account(UPSTREAM, ORGANISATION)
    hour = f"spent:{found.windows.partition(' ')[0]}"
    assert await books.correct(UPSTREAM, found, Charge(100, 30), "w")
    assert not await books.correct(UPSTREAM, found, Charge(100, 30), "w")
    assert (await verify(redis, UPSTREAM)).differences == ()
    for charged in chain("t", "p", "k", "fal-ai/model"):
        stands = await budgets.positions(UPSTREAM, charged)
        assert {position.spent for position in stands} == {100}
    assert (await budgets.overage(UPSTREAM))[1] == 30
    usage = usage_keys.usage(UPSTREAM, found.day)
    assert await redis.hget(usage, "t/p:reconciled") == "130"
    clock = found.windows.partition("T")[2][:2]
    hours = [f"{clock}{whose}:reconciled" for whose in ("", "/t", "/t/p")]
    assert await redis.hmget(usage_keys.hits(UPSTREAM, found.day), hours) == ["130"] * 3
    await redis.hdel(account, hour)
    again = other(charge=Charge(100, 30))
    assert await books.correct(UPSTREAM, again, Charge(20, 0), "w")
    assert await redis.hget(account, hour) == "-80"
    assert await redis.hget(usage, "t/p:reconciled") == "20"
    assert (await budgets.overage(UPSTREAM))[1] == 0
    await redis.hdel(account, hour)
    old = Aged(**msgspec.structs.asdict(other(charge=Charge(20, 0))))
    assert await books.correct(UPSTREAM, old, Charge(30, 0), "w")
    assert not await redis.hexists(account, hour)
    await assert_added_up(redis, UPSTREAM)
    await redis.xdel(keyspace.ledger(UPSTREAM), found.entry)
    assert await refused(books.correct(UPSTREAM, other(charge=Charge(30, 0)), Charge(1, 0), "w"))


async def recovers(redis: Redis, books: Recovery) -> None:
    """Everything that is promised of recovery, in short."""
    lost = Recovered(request_id="r-1", model="m", sent_ms=5)
    assert await books.book(UPSTREAM, lost, 40)
    assert not await books.book(UPSTREAM, lost, 40)
    assert await books.bound(UPSTREAM, ["r-1"]) == {"r-1": "recovered-r-1"}
    [hours] = [key async for key in redis.scan_iter(usage_keys.hits(UPSTREAM, "*"))]
    counted: Any = await redis.hgetall(hours)
    assert {field[2:]: number for field, number in counted.items()} == {
        f"{whose}:{measure}": "40"
        for whose in ("", "/-", "/-/-")
        for measure in ("billed", "without_pictures")
    }
    charged = chain(endpoint="m")
    assert await redis.smembers(keyspace.accounts(UPSTREAM)) == {each.name for each in charged}
    for each in charged:
        assert await redis.hget(keyspace.account(UPSTREAM, each), "spent:total:all") == "40"
    await assert_added_up(redis, UPSTREAM)
    assert (await verify(redis, UPSTREAM)).differences == ()
    await redis.hset(keyspace.META, mapping={"frozen_ms": "5", "history": "b"})
    assert not await books.thaw("a")
    assert await books.frozen() == (Frozen("lost", 5), "b")
    assert await books.thaw("b")
    assert await books.frozen() == (None, "b")
    await trusts(Ledger(redis))
    await mends(redis, books)


async def trusts(books: Ledger) -> None:
    """What is noted of a history, and what it freezes."""
    now = (await books.standing()).history
    assert not await books.trust(now, "c", why="lost")
    assert not await books.trust("d", "b", why="lost")
    assert await books.trust(now, "b")
    assert (await books.standing()).frozen is None
    assert await books.trust(now, now, why="lost")
    since = (await books.standing()).frozen
    assert since is not None
    assert since.since_ms > 10**12
    assert await books.trust(now, now, why="counters lost")
    assert (await books.standing()).frozen == Frozen("lost counters", since.since_ms)


async def mends(redis: Redis, books: Recovery) -> None:
    """Counters are set once, and none where one of them has changed."""
    account = keyspace.account(UPSTREAM, ORGANISATION)
    await redis.hset(account, mapping={"spent:total:all": "41", "held:total:all": "-7"})
    found = (await verify(redis, UPSTREAM)).differences
    assert len(found) == 2
    await redis.hset(account, "held:total:all", "-8")
    assert not await books.mend(UPSTREAM, found)
    assert await redis.hget(account, "spent:total:all") == "41"
    found = (await verify(redis, UPSTREAM)).differences
    assert await books.mend(UPSTREAM, found)
    assert not await books.mend(UPSTREAM, found)
    assert await redis.hget(account, "spent:total:all") == "40"
    assert not await redis.hexists(account, "held:total:all")
    assert await redis.xlen(keyspace.AUDIT) == 2


@pytest.fixture
async def scenario(redis: Redis, budgets: Budgets, paid: Paid) -> Callable[[], Awaitable[None]]:
    """Both, on empty books."""

    async def run() -> None:
        await corrects(redis, Corrections(redis, owner="one"), budgets, paid)
        await redis.flushall()
        await recovers(redis, Recovery(redis, Calendar(UTC)))

    return run


MUTANTS = [
    ("ledger_correct", "not found then return 'gone'", "not found then return 'corrected'"),
    ("ledger_correct", "close.job ~= job_id", "false"),
    ("ledger_correct", "whole(was_billed) .. ':'", "known:match('^%d+') .. ':'"),
    ("ledger_correct", ".. whole(was_overrun) then", ".. known:match('%d+$') then"),
    ("ledger_correct", "if billed > digits(close.held)", "if false"),
    ("ledger_correct", "KEYS[first_account + i - 1]:sub(-#name - 1) ~= ':' .. name", "false"),
    ("ledger_correct", "if model ~= '' then", "if false then"),
    ("ledger_correct", "'charged_model', model,", "'charged_model', '',"),
    ("ledger_correct", "usage:sub(-#day - 1) ~= ':' .. day", "false"),
    ("ledger_correct", "billed - was_billed, overrun", "billed, overrun"),
    ("ledger_correct", ", overrun - was_overrun", ", overrun"),
    ("ledger_correct", "for i = first_account, #KEYS do", "for i = first_account, #KEYS - 1 do"),
    ("ledger_correct", "if kept[name] or redis", "if redis"),
    ("ledger_correct", "if kept[name] or redis.call('HEXISTS', KEYS[i], counter) == 1", "if true"),
    ("ledger_correct", "'overrun', whole(more_overrun))\nlocal", "'overrun', '0')\nlocal"),
    ("ledger_correct", "tell('billed', more_billed)", ""),
    ("ledger_correct", "tell('overrun', more_overrun)", ""),
    ("ledger_correct", "compared and more_billed + more_overrun or billed + overrun", "0"),
    ("ledger_correct", "compared and more_billed + more_overrun or ", ""),
    ("ledger_correct", "'HSET', corrected, job_id,", "'HSET', corrected, 'x',"),
    ("ledger_correct", "'billed', whole(more_billed), 'overrun'", "'billed', '0', 'overrun'"),
    ("ledger_recover", "if known then return {'known', known} end", ""),
    ("ledger_recover", "redis.call('HSET', submits, request_id, job_id)", ""),
    ("ledger_recover", "redis.call('SADD', accounts, account_name)", ""),
    ("ledger_recover", "KEYS[first_account + i - 1]", "KEYS[first_account]"),
    ("ledger_recover", "'spent:' .. name, whole(amount))", "'spent:' .. name, '0')"),
    ("ledger_recover", "now < window.starts_ms", "now >= window.starts_ms"),
    ("ledger_recover", "{{subject, 'billed', amount}, ", "{"),
    ("ledger_recover", "'billed', whole(amount),\n", "'billed', '0',\n"),
    ("ledger_recover", "'outcome', 'recovered'", "'outcome', 'paid'"),
    ("ledger_thaw", "~= history", "== ''"),
    ("ledger_thaw", "redis.call('HDEL', meta, 'frozen_ms',", "redis.call('HDEL', meta,"),
    ("ledger_trust", "(redis.call('HGET', meta, 'history') or '') ~= was or ", ""),
    ("ledger_trust", " or history_now() ~= history", ""),
    ("ledger_trust", "redis.call('HSET', meta, 'history', history)", ""),
    ("ledger_trust", "if why == '' then return 1 end", ""),
    ("ledger_trust", "redis.call('HGET', meta, 'frozen_why') or ''", "''"),
    ("ledger_trust", "words = words == '' and word or words .. ' ' .. word", "words = word"),
    ("ledger_trust", "if not (' ' .. words", "if (' ' .. words"),
    ("ledger_trust", "HSETNX', meta, 'frozen_ms', whole(now_ms())", "HSET', meta, 'frozen_ms', 1"),
    ("ledger_mend", "(redis.call('HGET', hash, ARGV[i]) or '0') ~= number(ARGV[i + 1])", "false"),
    ("ledger_mend", "must == '0' and field:sub(1, 5) == 'held:'", "false"),
    ("ledger_mend", "redis.call('HSET', hash, field, must)", ""),
    ("ledger_mend", "redis.call('HDEL', hash, field)", ""),
    ("ledger_mend", "redis.call('XADD', audit, '*',", "redis.call('EXISTS',"),
]  # fmt: skip


async def test_the_scripts_pass(scenario: Callable[[], Awaitable[None]]) -> None:
    await scenario()

    assert len(NAMES) == len({name for name, _, _ in MUTANTS})


@pytest.mark.parametrize("url", ["valkey"], indirect=True)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{m[0]}: {m[1]}" for m in MUTANTS])
async def test_a_change_is_noticed(
    redis: Redis,
    scenario: Callable[[], Awaitable[None]],
    mutant: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, text, other = mutant
    change(tmp_path, name, text, other)
    changed = Script(name, tmp_path)
    monkeypatch.setattr(*NAMES[name], changed)
    # What does not even compile would prove nothing.
    await redis.script_load(changed.text)

    with pytest.raises((AssertionError, Unavailable)) as failure:
        await scenario()

    assert noticed(failure.value)
    await redis.flushall()

"""What the scripts themselves refuse, called with raw arguments: bad amounts and windows."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.budget import chain
from falgate.core.calendar import Calendar, Window
from falgate.core.claim import Held, Seen, Terms
from falgate.core.errors import Unavailable
from falgate.core.job import Job, Order
from falgate.core.outcome import Settlement
from falgate.store import _keys
from falgate.store._script import Script
from falgate.store.jobs import Jobs

Everything = Callable[[], Awaitable[dict[str, Any]]]
UPSTREAM = "https://queue.example"
DAY_MS = 86_400_000
ALWAYS = {"kind": "total", "id": "all", "starts_ms": 0, "ends_ms": 10**15 - 1}

PARAMETER = re.compile(r"^local (\w+) = (?:\w+\()?(?:KEYS|ARGV)\[", re.MULTILINE)
BAD = ["nan", "-1", "0x10", "1e3", " 5 ", "", "1.5", "+1", "inf", "9" * 16, "1\n"]
AMOUNTS = [
    *(("jobs_hold", name) for name in ("amount", "lease_ms", "generation", "count", "weight")),
    *(("jobs_hold", name) for name in ("waiting_max", "slots_max")),
    ("jobs_mark", "lease_ms"),
    ("jobs_accept", "lease_ms"),
    ("jobs_renew", "lease_ms"),
    ("jobs_adopt", "lease_ms"),
    ("jobs_doubt", "lease_ms"),
    ("jobs_settle", "charge"),
    ("jobs_settle", "lease_ms"),
    ("jobs_settle", "slots_max"),
    ("jobs_doubt", "slots_max"),
    ("turns_ask", "slots_max"),
    ("budgets_raise", "amount"),
    ("budgets_raise", "starts_ms"),
    ("budgets_raise", "ends_ms"),
    ("budgets_reset", "starts_ms"),
    ("budgets_reset", "ends_ms"),
    ("jobs_finish", "generation"),
    ("jobs_finish", "count"),
    ("jobs_finish", "marker_ms"),
    ("jobs_sweep", "before_ms"),
    ("pools_renew", "generation"),
    ("pools_remove", "emptied_s"),
    ("pools_keep", "until_s"),
    ("catalogue_note", "size"),
    ("catalogue_note", "value"),
    ("catalogue_condemn", "unused_ms"),
    ("catalogue_condemn", "noted_ms"),
]

CHARGED = chain("t", "p", "k")
HELD_ON = {"jobs_hold", "jobs_mark", "jobs_accept", "jobs_settle"}
Call = Callable[..., Awaitable[Any]]

ACCOUNTS = [_keys.account(UPSTREAM, each) for each in CHARGED]
PACES = [_keys.pace(UPSTREAM, each) for each in CHARGED]
USUAL: dict[str, Any] = {
    "meta": _keys.META,
    "job": _keys.job("a"),
    "flight": _keys.flight("f"),
    "open_jobs": _keys.open_jobs(UPSTREAM),
    "ended_jobs": _keys.ended_jobs(UPSTREAM),
    "house": _keys.house(UPSTREAM),
    "ledger": _keys.ledger(UPSTREAM),
    "submits": _keys.submits(UPSTREAM),
    "markers": _keys.MARKERS,
    "pool": _keys.pool("f"),
    "accounts": _keys.accounts(UPSTREAM),
    "teams": _keys.teams(UPSTREAM),
    "account": ACCOUNTS[0],
    "slots": _keys.slots(UPSTREAM),
    "waiting": _keys.waiting(UPSTREAM),
    "tags": _keys.turns(UPSTREAM),
    "alerts": _keys.ALERTS,
    "posted": _keys.POSTED,
    "audit": _keys.AUDIT,
    **{name: getattr(_keys, name)(UPSTREAM, "2026-11-22") for name in ("usage", "breakdown")},
    "charged": json.dumps(
        [{"level": each.level, "id": each.id, "per_minute": 0, "at_once": 0} for each in CHARGED]
    ),
    "class": "normal",
    "weight": 1,
    "waiting_max": 0,
    "slots_max": 0,
    "channel": _keys.WAKE,
    "subject": "t/p/k|m|low|paid",
    "measures": "{}",
    "id": "x",
    "name": "total:all",
    "starts_ms": 0,
    "ends_ms": 10**15 - 1,
    "account_name": "organisation:main",
    "who": "w",
    "why": "",
    "job_id": "a",
    "owner": "one",
    "epoch": 1,
    "lease_ms": 60_000,
    "amount": 100,
    "generation": 0,
    "count": 0,
    "windows": json.dumps([ALWAYS]),
    "order": "{}",
    "input": "{}",
    "request_id": "r",
    "waiters": _keys.waiters("f"),
    "pool_flight": _keys.flight("f"),
    "places": _keys.places("t/p", "f"),
    "distinct": "",
    "joins": "0",
    "number": 1,
    "place_ms": 5_000,
    "places_kept_s": 60,
    "job_prefix": _keys.job(""),
    "flight_prefix": _keys.flight(""),
    "waiters_prefix": _keys.waiters(""),
    "request": _keys.request("r"),
    "pending": _keys.pending(UPSTREAM),
    "idempotency": _keys.idempotency(""),
    "patience_ms": 1_000,
    "asked": "",
    "arguments": "",
    "was_job": "",
    "digest": "",
    "repeats_ms": 0,
    "flight_name": "f",
    "from": "accepted",
    "to": "paid",
    "charge": 60,
    "output": "null",
    "answer": "null",
    "refusal": _keys.refusal("a"),
    "refusal_kept_s": 600,
    "trouble": "lost",
    "wake": _keys.WAKE,
    "pictures": "",
    "kept": 1,
    "all": 0,
    "emptied_s": 60,
    "until_s": 0,
    "over": 0,
    "picture": _keys.picture("x.png"),
    "media": _keys.MEDIA,
    "master_picture": _keys.picture(""),
    "about": _keys.about("f"),
    "pools": _keys.POOLS,
    "pools_of": _keys.pools_of("t/p"),
    "prompt": _keys.prompt("0"),
    "pictured": _keys.pictured("0"),
    "prompt_sha256": "0",
    "size": 9,
    "value": 9,
    "app": "t/p",
    "master": "",
    "about_json": "null",
    "with_prompt": 0,
    "unused_ms": 0,
    "noted_ms": 0,
    "forced": 0,
    "marker_ms": 1,
    "fingerprint": "f",
    "before_ms": 0,
    "ttl_s": 60,
}


@pytest.fixture
def call(redis: Redis, ledger_id: str, calendar: Calendar) -> Call:
    """Runs a script about job a and flight f, with some of its arguments changed."""
    usual = USUAL | {"ledger_id": ledger_id, "calendar": calendar.name}

    async def call(name: str, **changes: str | int) -> Any:
        script = Script(name)
        known = usual | changes
        named = {key: known[key] for key in dict.fromkeys(PARAMETER.findall(script.text))}
        more = ACCOUNTS if name in HELD_ON else []
        more = [*more, *PACES] if name == "jobs_hold" else more
        return await script(redis, more_keys=more, **named)

    return call


@pytest.mark.parametrize(("script", "name"), AMOUNTS)
async def test_a_script_takes_plain_digits_only(
    script: str, name: str, call: Call, everything: Everything
) -> None:
    before = await everything()

    for bad in BAD:
        with pytest.raises(ResponseError, match="BADAMOUNT"):
            await call(script, **{name: bad})
        assert await everything() == before


async def test_a_hold_of_nothing_is_refused(call: Call, everything: Everything) -> None:
    before = await everything()

    with pytest.raises(ResponseError, match="BADAMOUNT"):
        await call("jobs_hold", amount=0)
    assert await everything() == before


async def test_the_largest_amount_is_held_and_given_back_to_the_last_micro(
    call: Call, redis: Redis
) -> None:
    account = _keys.account(UPSTREAM, CHARGED[0])
    await redis.hset(account, "budget:total", json.dumps({"limit": 10**15 - 1}))

    assert await call("jobs_hold", amount=10**15 - 1) == ["held"]
    assert await redis.hget(account, "held:total:all") == str(10**15 - 1)
    settled = await call("jobs_settle", **{"from": "reserved", "to": "released", "charge": 0})
    assert settled == ["settled", str(10**15 - 1)]
    assert await redis.hget(account, "held:total:all") is None


@pytest.mark.parametrize(("starts", "ends"), [(-2, -1), (1, 2), (-1, 0)])
async def test_outside_its_windows_a_hold_only_says_what_time_it_is(
    starts: int, ends: int, call: Call, jobs: Jobs, everything: Everything
) -> None:
    now_ms = await jobs.now_ms()
    day = {"kind": "day", "id": "x"}
    day_ms = {"starts_ms": now_ms + starts * DAY_MS, "ends_ms": now_ms + ends * DAY_MS}
    before = await everything()

    reply = await call("jobs_hold", windows=json.dumps([day | day_ms, ALWAYS]))

    assert reply[0] == "elsewhen"
    assert now_ms <= int(reply[1]) < now_ms + DAY_MS
    assert await everything() == before


async def test_without_windows_nothing_is_held(call: Call, everything: Everything) -> None:
    before = await everything()

    assert await call("jobs_hold", windows="[]") == ["unlimited"]
    assert await everything() == before


class Late:
    """A calendar of an instance that is told of every midnight once it is over."""

    def __init__(self, calendar: Calendar) -> None:
        self.name = calendar.name
        self._calendar = calendar
        self._asked = 0

    def windows(self, now_ms: int) -> tuple[Window, ...]:
        """Yesterday's, at first."""
        self._asked += 1
        return self._calendar.windows(now_ms if self._asked > 1 else now_ms - DAY_MS)


async def test_a_hold_across_midnight_is_charged_to_the_new_day(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    calendar: Calendar,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
) -> None:
    late = jobs_of("one", calendar=Late(calendar))

    assert await late.hold(order(), Seen(), Terms()) == Held()
    assert await money() == (0, 100, 0)


async def test_a_job_is_settled_in_the_windows_in_which_it_began(call: Call, redis: Redis) -> None:
    account = _keys.account(UPSTREAM, CHARGED[0])
    began = ALWAYS | {"kind": "day", "id": "2020-02-29"}
    await call("jobs_hold", windows=json.dumps([began]))

    await call("jobs_settle", **{"from": "reserved", "to": "paid", "charge": 60})

    figures: Any = await redis.hgetall(account)
    assert "held:day:2020-02-29" not in figures
    assert figures["spent:day:2020-02-29"] == "60"
    assert [name for name in figures if name.startswith("spent")] == ["spent:day:2020-02-29"]


@pytest.mark.parametrize(
    "change", [{"held": -1}, {"held": 10**15}, {"held": 0}], ids=["below", "huge", "nothing"]
)
async def test_an_order_with_a_bad_amount_reads_as_no_ledger(
    change: dict[str, int], jobs: Jobs, order: Callable[..., Order], everything: Everything
) -> None:
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.hold(order(**change), Seen(), Terms())
    assert await everything() == before


async def test_a_settlement_with_a_bad_amount_leaves_the_job_open(
    jobs: Jobs,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    everything: Everything,
) -> None:
    job = await bring(order(), "accepted")
    before = await everything()

    with pytest.raises(Unavailable):
        await jobs.settle(job, Settlement(state="paid", charge=-1))
    assert await everything() == before

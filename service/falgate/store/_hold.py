"""Asking for a flight and a hold: everything that the script needs, and what it answered."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.budget import Account
from falgate.core.calendar import Window
from falgate.core.claim import (
    Crowded,
    Denied,
    Ended,
    Held,
    HouseFull,
    Joined,
    Mismatched,
    OtherCalendar,
    Overdrawn,
    Repeated,
    Seen,
    Stale,
    Terms,
    Unborn,
    Unlimited,
    Vacant,
    Verdict,
    Waiter,
)
from falgate.core.errors import Unavailable
from falgate.core.frozen import Frozen
from falgate.core.job import Order
from falgate.core.limits import Exceeded
from falgate.store import _keys, _records
from falgate.store._reach import reaching
from falgate.store._script import Script
from falgate.store.instance import Instance

_HOLD = Script("jobs_hold")

_ROUNDS_MAX = 5
_PLACE_MS = 5_000
"""How long what a job brings is its request's own without renewal."""


async def hold(  # noqa: PLR0917 - what the script decides by
    redis: Redis, instance: Instance, order: Order, seen: Seen, terms: Terms, waiter: Waiter
) -> Verdict:
    """Claim the order's flight, hold its money on every account and stand in line, or do nothing.

    Whoever asks is noted as waiting for the flight, or their request is kept, in the same step.

    Raises:
        Unavailable: Without Redis, or where its clock and the calendar do not meet.
    """
    with reaching():
        seconds, micros = await redis.time()
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    named = _named(instance, order, seen, terms) | waits_for(order, waiter)
    accounts = order.accounts
    keys = [_keys.account(order.upstream, account) for account in accounts]
    keys += [_keys.pace(order.upstream, account) for account in accounts]
    for _ in range(_ROUNDS_MAX):
        windows = instance.calendar.windows(now_ms)
        with reaching():
            reply = await _HOLD(
                redis, more_keys=keys, windows=msgspec.json.encode(windows).decode(), **named
            )
        match reply:
            case ["elsewhen", script_ms]:
                # A window's end passed between our look at the clock and the script's.
                now_ms = int(script_ms)
            case ["strange"]:
                await instance.regain()
            case _:
                return _verdict(reply, windows, accounts)
    raise Unavailable("The ledger's clock does not agree with the calendar; ask again")


def _named(instance: Instance, order: Order, seen: Seen, terms: Terms) -> dict[str, Any]:
    charged = [
        {
            "level": account.level,
            "id": account.id,
            "per_minute": limits.generations_per_minute,
            "at_once": limits.generations_at_once,
        }
        for account, limits in zip(order.accounts, terms.limits, strict=True)
    ]
    bare = msgspec.structs.replace(order, input={})
    return {
        "meta": _keys.META,
        "job": _keys.job(order.id),
        "flight": _keys.flight(order.flight),
        "open_jobs": _keys.open_jobs(order.upstream),
        "house": _keys.house(order.upstream),
        "accounts": _keys.accounts(order.upstream),
        "teams": _keys.teams(order.upstream),
        "slots": _keys.slots(order.upstream),
        "waiting": _keys.waiting(order.upstream),
        "tags": _keys.turns(order.upstream),
        "alerts": _keys.ALERTS,
        "ledger_id": instance.ledger_id,
        "job_id": order.id,
        "owner": instance.owner,
        "lease_ms": instance.lease_ms,
        "amount": order.held,
        "generation": seen.generation,
        "count": seen.count,
        "calendar": instance.calendar.name,
        "charged": msgspec.json.encode(charged).decode(),
        "class": order.priority,
        "weight": terms.weight,
        "waiting_max": terms.waiting_max,
        "slots_max": instance.slots_max,
        "channel": _keys.WAKE,
        "order": msgspec.json.encode(bare).decode(),
        "input": msgspec.json.encode(order.input).decode(),
        **_beside(order),
    }


def _beside(order: Order) -> dict[str, Any]:
    """What the script takes to tell whose is what else is under way for the pool."""
    return {
        # Who buys afresh does not look at what others buy.
        "pool_flight": _keys.flight(order.flight if order.fresh else order.fingerprint),
        "places": _keys.places(f"{order.team}/{order.app}", order.fingerprint),
        "distinct": "1" if order.distinct else "",
        "number": order.number,
        "place_ms": _PLACE_MS,
        "places_kept_s": _keys.PLACES_KEPT_S,
        "job_prefix": _keys.job(""),
        "flight_prefix": _keys.flight(""),
        "waiters_prefix": _keys.waiters(""),
    }


def waits_for(order: Order, waiter: Waiter) -> dict[str, Any]:
    """What the script takes of who asks."""
    keep = waiter.keep
    return {
        "waiters": _keys.waiters(order.flight),
        "flight_name": order.flight,
        "request": _keys.request(waiter.request),
        "pending": _keys.pending(order.upstream),
        "idempotency": _keys.idempotency(keep.asked.repeatable if keep else ""),
        "request_id": waiter.request,
        "patience_ms": waiter.patience_ms,
        "asked": _records.asked(keep.asked) if keep else "",
        "arguments": msgspec.json.encode(keep.asked.arguments).decode() if keep else "",
        "pool": msgspec.json.encode(keep.pool).decode() if keep else "",
        "was_job": keep.was_job if keep else "",
        "digest": keep.digest if keep else "",
        "repeats_ms": keep.repeats_ms if keep else 0,
        "joins": "1" if waiter.joins else "0",
    }


def _verdict(  # noqa: C901, PLR0911, PLR0912 - one return for each of the script's answers
    reply: list[Any], windows: tuple[Window, ...], accounts: tuple[Account, ...]
) -> Verdict:
    match reply:
        case ["held", *shadows]:
            pairs = zip(shadows[::2], shadows[1::2], strict=True)
            return Held(tuple(Overdrawn(accounts[int(at)], kind) for at, kind in pairs))
        case ["joined", job_id, *beside]:
            return Joined(job_id, *beside)
        case ["crowded"]:
            return Crowded()
        case ["repeated", request_id]:
            return Repeated(request_id)
        case ["mismatched"]:
            return Mismatched()
        case ["ended"]:
            return Ended()
        case ["stale", generation, count]:
            return Stale(int(generation), int(count))
        case ["vacant"]:
            return Vacant()
        case ["denied", at, kind, limit, spent, held]:
            window = next(window for window in windows if window.kind == kind)
            return Denied(accounts[int(at)], window, int(limit), int(spent), int(held))
        case ["exceeded", at, what, limit, wait_ms]:
            return Exceeded(accounts[int(at)].name, what, int(limit), int(wait_ms))
        case ["unlimited"]:
            return Unlimited()
        case ["house", limit, overrun]:
            return HouseFull(int(limit), int(overrun))
        case ["unborn"]:
            return Unborn()
        case ["frozen", why]:
            return Frozen(why)
        case ["calendar", name]:
            return OtherCalendar(name)
    raise AssertionError(f"jobs_hold.lua answered {reply[0]}")

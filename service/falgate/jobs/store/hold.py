"""Asks for a flight and a hold: builds the arguments of `jobs_hold.lua` and parses its answer."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.accounts.limits import Exceeded, Limits, PurchaseLimits, PurchaseRates
from falgate.cache.pool import PoolVersion
from falgate.core.account import LEVELS, Account
from falgate.core.calendar import Window
from falgate.core.errors import Unavailable
from falgate.core.events import Overdrawn
from falgate.jobs.job import Job, Order
from falgate.jobs.store import records
from falgate.jobs.verdicts import (
    Crowded,
    Denied,
    Ended,
    Held,
    Joined,
    LedgerMismatch,
    Mismatched,
    NoBudget,
    OtherCalendar,
    OverageFull,
    PoolChanged,
    Repeated,
    Vacant,
    Verdict,
    Waiter,
)
from falgate.money.frozen import Frozen
from falgate.money.stop import stoppable
from falgate.money.store.instance import Instance
from falgate.money.store.stops import stopped
from falgate.redis import keyspace
from falgate.redis.script import Script

_HOLD = Script("jobs_hold")

_ROUNDS_MAX = 5
_PLACE_MS = 5_000
"""How long a job's pictures are reserved for its request if the place is not renewed, in ms."""


async def hold(  # noqa: PLR0917 - what the script decides by
    redis: Redis,
    instance: Instance,
    order: Order,
    seen: PoolVersion,
    terms: PurchaseLimits,
    waiter: Waiter,
) -> Verdict:
    """Claim the order's flight, hold its money on every account and queue it, or do nothing.

    In the same step, the request is recorded as waiting for the flight, and stored if it is queued.

    Raises:
        Unavailable: Without Redis, or if its clock never falls into the calendar's windows.
    """
    # Estimated since Redis's time was last read; if it is too far off, the script returns its own.
    now_ms = instance.clock.now_ms()
    named = _named(instance, order, seen, terms) | waits_for(order, waiter)
    accounts = order.accounts
    keys = [keyspace.account(order.upstream, account) for account in accounts]
    keys += [keyspace.pace(order.upstream, account) for account in accounts]
    for _ in range(_ROUNDS_MAX):
        windows = instance.calendar.windows(now_ms)
        reply = await _HOLD(
            redis, more_keys=keys, windows=msgspec.json.encode(windows).decode(), **named
        )
        match reply:
            case ["elsewhen", script_ms]:
                # A window ended between our estimate and the script's time.
                now_ms = int(script_ms)
                instance.clock.note(now_ms)
            case ["strange"]:
                await instance.regain()
            case ["held", began_ms, slot, *shadows]:
                instance.clock.note(int(began_ms))
                job = Job(
                    order=order,
                    accounts=accounts,
                    state="reserved",
                    owner=instance.owner,
                    epoch=1,
                    windows=tuple(window.name for window in windows),
                    began_ms=int(began_ms),
                )
                return Held(_overdrawn(shadows, accounts), job, has_slot=slot == "1")
            case _:
                return _verdict(reply, windows, accounts)
    raise Unavailable("Redis's clock does not agree with the calendar; try again")


def _overdrawn(shadows: list[Any], accounts: tuple[Account, ...]) -> tuple[Overdrawn, ...]:
    pairs = zip(shadows[::2], shadows[1::2], strict=True)
    return tuple(Overdrawn(accounts[int(at)], kind) for at, kind in pairs)


def _named(
    instance: Instance, order: Order, seen: PoolVersion, terms: PurchaseLimits
) -> dict[str, Any]:
    limits: Sequence[Limits | PurchaseRates] = (*terms.limits, terms.model)
    rates = dict(zip(LEVELS, limits, strict=True))
    charged = [
        {
            "level": account.level,
            "id": account.id,
            "per_minute": rates[account.level].generations_per_minute,
            "at_once": rates[account.level].generations_at_once,
        }
        for account in order.accounts
    ]
    bare = msgspec.structs.replace(order, input={})
    return {
        "upstream": order.upstream,
        "tags": keyspace.turns(order.upstream),
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
        "channel": keyspace.MOVED,
        "order": msgspec.json.encode(bare).decode(),
        "input": msgspec.json.encode(order.input).decode(),
        "stoppable": _stoppable(order),
        **_beside(order),
    }


def _beside(order: Order) -> dict[str, Any]:
    """Return the arguments that tell whose the purchases under way for the pool are."""
    return {
        # A request for new pictures does not join a purchase of its pool.
        "pool_flight": keyspace.flight(order.flight if order.fresh else order.fingerprint),
        "places": keyspace.places(f"{order.team}/{order.app}", order.fingerprint),
        "distinct": "1" if order.distinct else "",
        "number": order.number,
        "place_ms": _PLACE_MS,
        "places_kept_s": keyspace.PLACES_KEPT_S,
        "job_prefix": keyspace.job(""),
        "flight_prefix": keyspace.flight(""),
        "waiters_prefix": keyspace.waiters(""),
    }


def _stoppable(order: Order) -> str:
    return msgspec.json.encode([each.name for each in stoppable(order.accounts)]).decode()


def waits_for(order: Order, waiter: Waiter) -> dict[str, Any]:
    """Return the arguments that describe who waits for the flight."""
    keep = waiter.keep
    return {
        "flight_name": order.flight,
        "idempotency": keyspace.idempotency(keep.asked.repeatable if keep else ""),
        "request_id": waiter.request,
        "patience_ms": waiter.patience_ms,
        "asked": records.asked(keep.asked) if keep else "",
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
        case ["held"]:
            return Held()
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
            return PoolChanged(int(generation), int(count))
        case ["vacant"]:
            return Vacant()
        case ["stopped", name, record]:
            return stopped(name, record)
        case ["denied", at, kind, limit, spent, held]:
            window = next(window for window in windows if window.kind == kind)
            return Denied(accounts[int(at)], window, int(limit), int(spent), int(held))
        case ["exceeded", at, what, limit, wait_ms]:
            return Exceeded(accounts[int(at)].name, what, int(limit), int(wait_ms))
        case ["unlimited"]:
            return NoBudget()
        case ["overage", limit, overrun]:
            return OverageFull(int(limit), int(overrun))
        case ["unborn"]:
            return LedgerMismatch()
        case ["frozen", why]:
            return Frozen(why)
        case ["calendar", name]:
            return OtherCalendar(name)
    raise AssertionError(f"jobs_hold.lua answered {reply[0]}")

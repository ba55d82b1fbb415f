"""Redis storage of budgets, and of every account's position in its windows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.account import Account, account
from falgate.core.calendar import KINDS, Calendar, Kind, Window
from falgate.core.change import Change
from falgate.core.errors import Unavailable
from falgate.core.money import Micros
from falgate.money.budget import Budget, BudgetUnset, Position
from falgate.redis import keyspace
from falgate.redis.audited import changed, put
from falgate.redis.bounded import attempt
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_PUT = Script("budgets_put")
_RAISE = Script("budgets_raise")
_RESET = Script("budgets_reset")

_BOUNDARIES_MAX = 3
_PAGE = 500
_COUNTERS = ("spent", "forgiven", "raised", "held")
_WHOLE = ""
"""In the list of accounts with budgets: that it is complete."""


class Budgets:
    """Budgets of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, calendar: Calendar) -> None:
        """Count windows by `calendar`."""
        self._redis = redis
        self._calendar = calendar

    async def read(self, upstream: str, charged: Account, kind: Kind) -> Budget | None:
        """Return a budget, or None."""
        found = await self._redis.hget(keyspace.account(upstream, charged), f"budget:{kind}")
        return msgspec.json.decode(found, type=Budget) if found else None

    async def put(
        self,
        upstream: str,
        charged: Account,
        kind: Kind,
        *,
        was: Budget | None,
        now: Budget | None,
        who: str,
    ) -> bool:
        """Set or (with None) remove a budget; False if it no longer equals `was`.

        Lowering or removing it also takes back a raise in the current window.
        """
        change = Change(who=who, action="budget", subject=f"{charged.name}/{kind}@{upstream}")
        window = self._calendar.windows(await now_ms(self._redis))[KINDS.index(kind)]
        lowers = now is None or was is None or now.limit < was.limit
        record = keyspace.account(upstream, charged)
        done = await _PUT(
            self._redis,
            upstream=upstream,
            account_name=charged.name,
            name=window.name,
            lowers="1" if lowers else "0",
            **await changed(self._redis, record, f"budget:{kind}", was, now, change),
        )
        return bool(done)

    async def raise_(
        self,
        upstream: str,
        charged: Account,
        kind: Kind,
        amount: Micros,
        *,
        change: str,
        who: str,
        why: str = "",
    ) -> None:
        """Raise a budget's limit for the current window, once per `change`.

        Raises:
            BudgetUnset: The account has no such budget.
        """
        reply = await self._posted(
            _RAISE, upstream, charged, kind, id=change, amount=amount, who=who, why=why
        )
        if reply[0] == "unset":
            raise BudgetUnset

    async def reset(
        self, upstream: str, charged: Account, kind: Kind, *, change: str, who: str, why: str = ""
    ) -> Micros:
        """Forgive what an account spent in the current window; return the amount in micro-USD."""
        reply = await self._posted(_RESET, upstream, charged, kind, id=change, who=who, why=why)
        return int(reply[1])

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """Return an account's position in each current window, in the order of `KINDS`."""
        windows = self._calendar.windows(await now_ms(self._redis))
        figures: Any = await self._redis.hgetall(keyspace.account(upstream, charged))
        return [position(charged, window, figures) for window in windows]

    async def knows(self, upstream: str, charged: Account) -> bool:
        """Return whether an account was ever charged or limited."""
        return bool(await self._redis.sismember(keyspace.accounts(upstream), charged.name))

    async def accounts(self, upstream: str) -> list[Account]:
        """Return every account that was ever charged or limited, by name."""
        names: Any = await self._redis.smembers(keyspace.accounts(upstream))
        return [account(name) for name in sorted(names)]

    async def limited(
        self, upstream: str, start: str = "", number: int | None = None
    ) -> list[Account]:
        """Return accounts that have a budget, by name: up to `number`, from a name on.

        The cost grows only with the number that is returned, however many keys were ever charged.
        """
        key, most = keyspace.limited(upstream), -1 if number is None else number
        least = f"[{start}" if start else f"({_WHOLE}"
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zscore(key, _WHOLE)
            pipeline.zrangebylex(key, least, "+", 0, most)
            whole, names = await pipeline.execute()
        if whole is None:
            await self._list_limited(upstream)
            names = await self._redis.zrangebylex(key, least, "+", 0, most)
        return [account(name) for name in names]

    async def having(self, upstream: str, accounts: Sequence[Account]) -> Collection[Account]:
        """Return those of the accounts that have a budget, in one round trip."""
        if not accounts:
            return frozenset()
        key, names = keyspace.limited(upstream), [_WHOLE, *(each.name for each in accounts)]
        whole, *found = await self._redis.zmscore(key, names)
        if whole is None:
            await self._list_limited(upstream)
            _, *found = await self._redis.zmscore(key, names)
        return {each for each, score in zip(accounts, found, strict=True) if score is not None}

    async def _list_limited(self, upstream: str) -> None:
        """Make the list of accounts that have a budget, which earlier versions did not keep."""
        accounts = await self.accounts(upstream)
        fields = [f"budget:{kind}" for kind in KINDS]
        for start in range(0, len(accounts), _PAGE):
            page = accounts[start : start + _PAGE]
            async with self._redis.pipeline(transaction=False) as pipeline:
                for each in page:
                    pipeline.hmget(keyspace.account(upstream, each), fields)
                budgets = await pipeline.execute()
            found = [each.name for each, set_ in zip(page, budgets, strict=True) if any(set_)]
            if found:
                await self._redis.zadd(keyspace.limited(upstream), dict.fromkeys(found, 0))
        await self._redis.zadd(keyspace.limited(upstream), {_WHOLE: 0})

    async def positions_of(
        self, upstream: str, accounts: Sequence[Account]
    ) -> list[list[Position]]:
        """Return the positions of each account in the current windows, in two round trips."""
        windows = self._calendar.windows(await now_ms(self._redis))
        fields = [
            *(f"budget:{kind}" for kind in KINDS),
            *(f"{counter}:{window.name}" for counter in _COUNTERS for window in windows),
        ]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for each in accounts:
                pipeline.hmget(keyspace.account(upstream, each), fields)
            found = await pipeline.execute()
        figures = [
            {field: value for field, value in zip(fields, values, strict=True) if value is not None}
            for values in found
        ]
        return [
            [position(each, window, its) for window in windows]
            for each, its in zip(accounts, figures, strict=True)
        ]

    async def overage(self, upstream: str) -> tuple[Micros, Micros]:
        """Return the overage limit and how much of it is used, in micro-USD."""
        limit, overrun = await self._redis.hmget(keyspace.overage(upstream), ["limit", "overrun"])
        return int(limit or 0), int(overrun or 0)

    async def open_overage(self, upstream: str, limit: Micros) -> None:
        """Set the limit on what settlements may exceed their holds by, unless it is set already.

        An account that an earlier version kept under its former name is taken over.
        """
        former = keyspace.former_overage(upstream), keyspace.overage(upstream)
        await attempt(self._redis, "RENAMENX", *former)  # refused where there is none
        await self._redis.hsetnx(keyspace.overage(upstream), "limit", str(limit))

    async def set_overage(self, upstream: str, limit: Micros, who: str, why: str = "") -> None:
        """Set the limit on what settlements may exceed their holds by; write the audit log."""
        change = Change(who=who, action="overage", subject=f"overage@{upstream}", why=why)
        done = False
        while not done:
            found = await self._redis.hget(keyspace.overage(upstream), "limit")
            was = None if found is None else int(found)
            done = await put(self._redis, keyspace.overage(upstream), "limit", was, limit, change)

    async def _posted(
        self, script: Script, upstream: str, charged: Account, kind: Kind, **named: Any
    ) -> Sequence[str]:
        at_ms = await now_ms(self._redis)
        for _ in range(_BOUNDARIES_MAX):
            window = self._calendar.windows(at_ms)[KINDS.index(kind)]
            reply: Sequence[str] = await script(
                self._redis,
                upstream=upstream,
                subject=f"{charged.name}/{kind}@{upstream}",
                name=window.name,
                starts_ms=window.starts_ms,
                ends_ms=window.ends_ms,
                account_name=charged.name,
                **named,
            )
            if reply[0] != "elsewhen":
                return reply
            at_ms = int(reply[1])
        raise Unavailable("Redis's clock does not agree with the calendar; try again")


def position(charged: Account, window: Window, figures: Mapping[str, str]) -> Position:
    """Return an account's position in a window, from the fields of its hash."""
    budget = figures.get(f"budget:{window.kind}")
    spent = int(figures.get(f"spent:{window.name}", 0))
    return Position(
        account=charged,
        window=window,
        budget=msgspec.json.decode(budget, type=Budget) if budget else None,
        raised=int(figures.get(f"raised:{window.name}", 0)),
        spent=max(0, spent - int(figures.get(f"forgiven:{window.name}", 0))),
        held=int(figures.get(f"held:{window.name}", 0)),
    )

"""An operator with a clock, and the comparison of all that Redis holds with the plain model."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from booked import booked
from money_model import Model
from redis.asyncio import Redis

from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Calendar, Kind, Window
from falgate.jobs.store.jobs import Jobs
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.instance import Instance
from falgate.money.store.ledger import Ledger
from falgate.redis import keyspace
from falgate.redis.client import Durability

UPSTREAM = "machine"


class Turned(Calendar, frozen=True):
    """A calendar by which it is so much later than it is.

    Attributes:
        ahead_ms: Milliseconds.
    """

    ahead_ms: int = 0

    def windows(self, now_ms: int) -> tuple[Window, ...]:
        """The windows of then, as if they were now."""
        by = self.ahead_ms
        return tuple(
            Window(then.kind, then.id, max(0, then.starts_ms - by), then.ends_ms - by)
            for then in Calendar.windows(self, now_ms + by)
        )


async def compare(model: Model, redis: Redis, budgets: Budgets) -> None:
    """Compare all that Redis holds with the model."""
    held_by = {account for book in model.books.values() for account in book.accounts}
    accounts = sorted(held_by | {account for account, _ in model.limits}, key=lambda it: it.name)
    fingerprints = sorted({book.fingerprint for book in model.books.values()})
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.smembers(keyspace.accounts(UPSTREAM))
        pipeline.zcard(keyspace.slots(UPSTREAM))
        pipeline.exists(keyspace.turns(UPSTREAM), keyspace.waiting(UPSTREAM))
        pipeline.zcard(keyspace.open_jobs(UPSTREAM))
        for account in accounts:
            pipeline.hgetall(keyspace.account(UPSTREAM, account))
        for fingerprint in fingerprints:
            pipeline.get(keyspace.flight(fingerprint))
        names, slots, line, jobs, *found = await pipeline.execute()
    assert names == {account.name for account in accounts}
    assert line == 0
    assert slots == sum(not book.settled_to for book in model.books.values())
    assert jobs == sum(book.open for book in model.books.values())
    for account, fields in zip(accounts, found, strict=False):
        rest = {
            name: n
            for name, n in fields.items()
            if not name.startswith(("budget", "alerted", "filled", "refused", "reset"))
        }
        assert {name: int(n) for name, n in rest.items() if n != "0"} == model.counters(account)
    claimed = {book.fingerprint for book in model.books.values() if book.open}
    for fingerprint, claim in zip(fingerprints, found[len(accounts) :], strict=True):
        assert str(claim or "").startswith("open:") == (fingerprint in claimed)
    for position in await budgets.positions(UPSTREAM, ORGANISATION):
        limit, spent, held = model.standing(ORGANISATION, position.window.kind)
        assert (position.spent, position.held) == (spent, held)
        assert position.limit in {None, limit}
    assert await budgets.overage(UPSTREAM) == (model.overage, model.overrun)
    await _compare_entries(model, redis)


async def _compare_entries(model: Model, redis: Redis) -> None:
    entries = await booked(redis, UPSTREAM)
    closes = [entry for entry in entries if entry["kind"] == "close"]
    closed = {job_id: book for job_id, book in model.books.items() if book.settled_to}
    assert {
        entry["job"]: (int(entry["billed"]), int(entry["overrun"]), entry["outcome"])
        for entry in closes
    } == {job_id: (book.charged, book.overrun, book.settled_to) for job_id, book in closed.items()}
    assert len(closes) == len(closed)
    others = Counter(entry["kind"] for entry in entries if entry["kind"] != "close")
    assert others == model.posted


class Operator:
    """Who limits, raises and resets, and the clock; here and in Redis."""

    def __init__(self, redis: Redis, model: Model) -> None:
        self.redis = redis
        self.model = model
        self._began_ms = round(datetime.now(UTC).timestamp() * 1000)
        self._ledger_id = ""
        self.later(timedelta())

    async def open(self) -> None:
        """Open the books: with a limit, one that only looks like one, and a small overage."""
        ledger = Ledger(self.redis)
        self._ledger_id = await ledger.birth(None, self.calendar)
        assert await ledger.trust((await ledger.standing()).history, "")
        self.later(timedelta())
        await self.limit_overage(4)
        await self.limit(ORGANISATION, "total", Budget(limit=24))
        await self.limit(ORGANISATION, "week", Budget(limit=10, shadow=True))

    def later(self, by: timedelta) -> None:
        """Let time pass, by the calendar."""
        self.model.now += by
        ahead_ms = round(self.model.now.timestamp() * 1000) - self._began_ms
        self.calendar = Turned(UTC, ahead_ms=ahead_ms)
        self.budgets = Budgets(self.redis, self.calendar)
        self.jobs = Jobs(
            self.redis,
            Instance(
                ledger_id=self._ledger_id,
                owner="one",
                calendar=self.calendar,
                lease_ms=600_000,
                durability=Durability(),
            ),
        )

    async def limit(self, account: Account, kind: Kind, now: Budget) -> None:
        """Set a budget."""
        known = self.model.limits.get((account, kind))
        raised = self.model.raised[account, self.model.windows[kind]]
        if raised and (known is None or now.limit < known.limit):
            # Who lowers a limit takes the raise of the window of now back.
            self.model.raised[account, self.model.windows[kind]] = 0
            self.model.posted["raise"] += 1
        self.model.limits[account, kind] = now
        was = await self.budgets.read(UPSTREAM, account, kind)
        assert await self.budgets.put(UPSTREAM, account, kind, was=was, now=now, who="m")

    async def leave_room(self, accounts: Sequence[Account], pick: int, number: int) -> None:
        """Set a budget to a little more than is used, or to less; or the organisation's whole."""
        if number % 7 == 0:
            whole = Budget(limit=10 + number % 43, shadow=pick % 3 == 0)
            await self.limit(ORGANISATION, "total", whole)
            return
        account, kind = accounts[number // 25 % len(accounts)], KINDS[number % len(KINDS)]
        _, spent, held = self.model.standing(account, kind)
        room = max(0, spent + held + number % 9 - 2)
        await self.limit(account, kind, Budget(limit=room, shadow=number // 5 % 5 == 0))

    async def limit_overage(self, room: int) -> None:
        """Set what the overage account may bear."""
        self.model.overage = room
        await self.budgets.set_overage(UPSTREAM, room, "test")

    async def raise_(self, account: Account, kind: Kind, amount: int, times: int) -> None:
        """Raise a budget, asked for so many times."""
        change = f"c{self.model.posted.total()}"
        for _ in range(times):
            await self.budgets.raise_(UPSTREAM, account, kind, amount, change=change, who="m")
        self.model.raised[account, self.model.windows[kind]] += amount
        self.model.posted["raise"] += 1

    async def reset(self, account: Account, kind: Kind, times: int) -> None:
        """Let a budget start anew, asked for so many times."""
        change = f"c{self.model.posted.total()}"
        for _ in range(times):
            await self.budgets.reset(UPSTREAM, account, kind, change=change, who="m")
        _, spent, _ = self.model.standing(account, kind)
        self.model.forgiven[account, self.model.windows[kind]] += spent
        self.model.posted["reset"] += 1


@pytest.fixture
def plain() -> dict[str, Any]:
    """The model in which nothing has happened, who changes it, and how it is compared."""
    return {"new_model": Model, "operator_of": Operator, "compare": staticmethod(compare)}

"""What the money must be, as plain arithmetic over the jobs that there were."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from redis.asyncio import Redis

from falgate.core.budget import Account, Budget
from falgate.core.calendar import Kind, Window
from falgate.core.claim import Denied, Held, HouseFull, Joined, Seen, Stale, Verdict
from falgate.core.job import MOVES, Order, State
from falgate.store import _keys
from falgate.store.budgets import Budgets
from falgate.store.ledger import Ledger


class Book(msgspec.Struct):
    """A job as the model knows it."""

    fingerprint: str
    held: int
    state: State = "reserved"
    epoch: int = 1
    lapsed: bool = False
    request_id: str = ""
    settled_to: str = ""
    charged: int = 0
    overrun: int = 0

    @property
    def open(self) -> bool:
        """Whether it holds a lease and its flight."""
        return bool(MOVES[self.state])

    @property
    def holding(self) -> int:
        """What of its money is set aside still."""
        return self.held if self.open and not self.settled_to else 0


class Model:
    """All jobs, limits and markers."""

    def __init__(self) -> None:
        self.limits: dict[tuple[Account, Kind], int] = {}
        self.house = 0
        self.raised: Counter[tuple[Account, Kind]] = Counter()
        self.forgiven: Counter[tuple[Account, Kind]] = Counter()
        self.books: dict[str, Book] = {}
        self.markers: dict[str, Seen] = {}

    def opened(self, job_id: str, fingerprint: str, held: int) -> None:
        """A hold was granted."""
        self.books[job_id] = Book(fingerprint, held)
        self.markers.pop(fingerprint, None)

    @property
    def spent(self) -> int:
        """What all jobs were charged."""
        return sum(book.charged for book in self.books.values())

    @property
    def held(self) -> int:
        """What all open jobs have set aside."""
        return sum(book.holding for book in self.books.values())

    @property
    def waiting(self) -> int:
        """What of that was never submitted."""
        return sum(book.holding for book in self.books.values() if book.state == "reserved")

    def left(self, budget: tuple[Account, Kind]) -> int:
        """What a budget has room for."""
        limit = self.limits[budget] + self.raised[budget]
        return limit - self.spent + self.forgiven[budget] - self.held

    @property
    def overrun(self) -> int:
        """What the house bore."""
        return sum(book.overrun for book in self.books.values())

    def verdict(
        self,
        fingerprint: str,
        amount: int,
        known: Seen,
        accounts: Sequence[Account],
        windows: Sequence[Window],
    ) -> Verdict:
        """What a hold must be answered."""
        for job_id, book in self.books.items():
            if book.open and book.fingerprint == fingerprint:
                return Joined(job_id)
        marker = self.markers.get(fingerprint)
        if marker and (known.generation, known.count) < (marker.generation, marker.count):
            return Stale(marker.generation, marker.count)
        if self.overrun and self.overrun >= self.house:
            return HouseFull(self.house, self.overrun)
        for account in accounts:
            for window in windows:
                budget = (account, window.kind)
                if budget in self.limits and self.left(budget) < amount:
                    limit = self.limits[budget] + self.raised[budget]
                    spent = self.spent - self.forgiven[budget]
                    return Denied(account, window, limit, spent, self.held)
        return Held()

    async def limit(
        self, budgets: Budgets, upstream: str, limited: tuple[Account, Kind] | None, room: int
    ) -> None:
        """Set a limit, here and in Redis; that of the house where none is named."""
        if limited is None:
            self.house = room
            await budgets.limit_house(upstream, room, keep=False)
            return
        self.limits[limited] = room
        was = await budgets.read(upstream, *limited)
        assert await budgets.put(upstream, *limited, was=was, now=Budget(limit=room), who="m")

    async def compare(self, redis: Redis, budgets: Budgets, ledger: Ledger, order: Order) -> None:
        """Compare all that Redis holds with the model."""
        working = sum(not book.settled_to for book in self.books.values())
        for charged in order.accounts:
            for position in await budgets.positions(order.upstream, charged):
                forgiven = self.forgiven[charged, position.window.kind]
                assert position.held == self.held
                assert position.spent == self.spent - forgiven
                assert position.raised == self.raised[charged, position.window.kind]
            assert await budgets.waiting(order.upstream, charged) == self.waiting
            opened = await redis.hget(_keys.account(order.upstream, charged), "open")
            assert int(opened or 0) == working
        slots = await redis.zcard(_keys.slots(order.upstream))
        assert (slots, await redis.exists(_keys.turns(order.upstream))) == (working, 0)
        assert await budgets.house(order.upstream) == (self.house, self.overrun)
        entries = [
            entry async for entry in ledger.entries(order.upstream) if entry["kind"] == "close"
        ]
        closed = {job_id: book for job_id, book in self.books.items() if book.settled_to}
        assert {
            entry["job"]: (int(entry["billed"]), int(entry["overrun"]), entry["outcome"])
            for entry in entries
        } == {
            job_id: (book.charged, book.overrun, book.settled_to) for job_id, book in closed.items()
        }
        assert len(entries) == len(closed)
        claims = {job_id: book.fingerprint for job_id, book in self.books.items() if book.open}
        assert await ledger.open_jobs(order.upstream) == len(claims)
        for fingerprint in ("f", "g"):
            claim = await redis.get(_keys.flight(fingerprint))
            claimed = str(claim or "").startswith("open:")
            assert claimed == (fingerprint in claims.values())


@pytest.fixture
def model() -> type[Model]:
    """Makes a model in which nothing has happened."""
    return Model

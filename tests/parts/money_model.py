"""What the money must be, as plain arithmetic over the jobs that there were."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Kind, Window
from falgate.core.events import Overdrawn
from falgate.jobs.job import MOVES, State
from falgate.jobs.verdicts import Denied, Held, Joined, NoBudget, OverageFull, PoolChanged, Verdict
from falgate.money.budget import Budget

NOON = datetime(2100, 6, 15, 12, tzinfo=UTC)


class Book(msgspec.Struct):
    """A job as the model knows it."""

    fingerprint: str
    held: int
    accounts: Sequence[Account]
    windows: Sequence[str]
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
    """All jobs, limits and markers, and what time it is."""

    def __init__(self) -> None:
        self.now = NOON
        self.limits: dict[tuple[Account, Kind], Budget] = {}
        self.overage = 0
        self.raised: Counter[tuple[Account, str]] = Counter()
        self.forgiven: Counter[tuple[Account, str]] = Counter()
        self.posted: Counter[str] = Counter()
        self.books: dict[str, Book] = {}
        self.markers: dict[str, PoolVersion] = {}

    @property
    def windows(self) -> dict[Kind, str]:
        """The names of the windows of now."""
        monday = self.now - timedelta(days=self.now.weekday())
        return {
            "hour": f"hour:{self.now:%Y-%m-%dT%H}+0000",
            "day": f"day:{self.now:%Y-%m-%d}",
            "week": f"week:{monday:%Y-%m-%d}",
            "month": f"month:{self.now:%Y-%m}",
            "total": "total:all",
        }

    def opened(self, job_id: str, fingerprint: str, held: int, accounts: Sequence[Account]) -> None:
        """A hold was granted."""
        self.books[job_id] = Book(fingerprint, held, accounts, tuple(self.windows.values()))
        self.markers.pop(fingerprint, None)

    def standing(self, account: Account, kind: Kind) -> tuple[int, int, int]:
        """Limit, spent and held of an account in a window of now, as its budget sees them."""
        window = self.windows[kind]
        books = self.books.values()
        there = [book for book in books if account in book.accounts and window in book.windows]
        budget = self.limits.get((account, kind), Budget(limit=0))
        return (
            budget.limit + self.raised[account, window],
            sum(book.charged for book in there) - self.forgiven[account, window],
            sum(book.holding for book in there),
        )

    @property
    def overrun(self) -> int:
        """What the overage account bore."""
        return sum(book.overrun for book in self.books.values())

    def verdict(  # noqa: C901 - as many cases as the script has
        self,
        fingerprint: str,
        amount: int,
        known: PoolVersion,
        accounts: Sequence[Account],
        windows: Sequence[Window],
    ) -> Verdict:
        """What a hold must be answered."""
        for job_id, book in self.books.items():
            if book.open and book.fingerprint == fingerprint:
                return Joined(job_id)
        marker = self.markers.get(fingerprint)
        if marker and (known.generation, known.count) < (marker.generation, marker.count):
            return PoolChanged(marker.generation, marker.count)
        if self.overrun and self.overrun >= self.overage:
            return OverageFull(self.overage, self.overrun)
        overdrawn: list[Overdrawn] = []
        denied: list[tuple[int, Denied]] = []
        for account in accounts:
            for window in windows:
                budget = self.limits.get((account, window.kind))
                limit, spent, held = self.standing(account, window.kind)
                if budget is None or spent + held + amount <= limit:
                    continue
                if budget.shadow:
                    overdrawn.append(Overdrawn(account, window.kind))
                else:
                    refusal = Denied(account, window, limit, spent, held)
                    denied.append((limit - spent - held, refusal))
        if denied:
            return min(denied, key=lambda each: each[0])[1]
        if all(self.limits.get((ORGANISATION, kind), _SHADOW).shadow for kind in KINDS):
            return NoBudget()
        return Held(tuple(overdrawn))

    def counters(self, account: Account) -> dict[str, int]:
        """Every counter of an account that is not 0, in every window that there ever was."""
        must: Counter[str] = Counter()
        for book in self.books.values():
            if account not in book.accounts:
                continue
            must["open"] += not book.settled_to
            must["waiting"] += book.holding if book.state == "reserved" else 0
            for window in book.windows:
                must[f"spent:{window}"] += book.charged
                must[f"held:{window}"] += book.holding
        for counter, of in (("raised", self.raised), ("forgiven", self.forgiven)):
            must.update({f"{counter}:{w}": n for (whose, w), n in of.items() if whose == account})
        return {field: number for field, number in must.items() if number}


_SHADOW = Budget(limit=0, shadow=True)

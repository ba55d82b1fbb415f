"""What the money must be, as plain arithmetic over the jobs that there were."""

from collections.abc import Sequence

import msgspec
import pytest

from falgate.core import budget
from falgate.core.claim import Denied, Held, HouseFull, Joined, Seen, Stale, Verdict
from falgate.core.job import MOVES, State


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
        self.limits = {"total": 60, "house": 30}
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
    def overrun(self) -> int:
        """What the house bore."""
        return sum(book.overrun for book in self.books.values())

    def verdict(
        self, fingerprint: str, amount: int, known: Seen, windows: Sequence[budget.Window]
    ) -> Verdict:
        """What a hold must be answered."""
        for job_id, book in self.books.items():
            if book.open and book.fingerprint == fingerprint:
                return Joined(job_id)
        marker = self.markers.get(fingerprint)
        if marker and (known.generation, known.count) < (marker.generation, marker.count):
            return Stale(marker.generation, marker.count)
        if self.overrun and self.overrun >= self.limits["house"]:
            return HouseFull(self.limits["house"], self.overrun)
        for window in windows:
            limit = self.limits.get(window.kind)
            if limit is not None and self.spent + self.held + amount > limit:
                return Denied(budget.ORGANISATION, window, limit, self.spent, self.held)
        return Held()


@pytest.fixture
def model() -> type[Model]:
    """Makes a model in which nothing has happened."""
    return Model

"""fal's own books and the ledger beside them, as what compares them sees them."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from falgate.billing.closed_job import ClosedJob, ReconcileReport, Recovered
from falgate.core.money import Micros
from falgate.jobs.job import Job
from falgate.money.charge import Charge
from falgate.money.difference import Difference
from falgate.money.frozen import Frozen


class Corrections(Protocol):
    """What the ledger says of settled jobs, and entries that set it right. `Unavailable`."""

    def closes(self, upstream: str, since_ms: int, until_ms: int) -> AsyncIterator[list[ClosedJob]]:
        """Jobs that were closed in a time, the oldest first, a page at a time."""

    async def correct(self, upstream: str, closed: ClosedJob, now: Charge, why: str) -> bool:
        """Set what a job came to by fal's books, once; False where that changes nothing."""

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """To which job each request belongs that belongs to one."""

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Whether it is the caller's turn to compare; nobody else's for so long."""

    async def compared_until_ms(self, upstream: str) -> int:
        """Until when fal's books were compared by the last look that was whole; 0 before it."""

    async def keep(self, upstream: str, summary: ReconcileReport, *, whole: bool) -> None:
        """Remember what a look has found; the next one begins where it ended if it was whole."""


class Recovery(Protocol):
    """A ledger that is not what it was. `Unavailable`."""

    async def frozen(self) -> tuple[Frozen | None, str]:
        """Where buying is frozen, and in which history of the server."""

    async def books(self) -> list[str]:
        """All books, each with counters of its own."""

    async def differences(self, upstream: str) -> tuple[Difference, ...]:
        """Counters that are not what the ledger says; raises `EntryStrange`."""

    async def undo_torn(self, upstream: str) -> None:
        """Undo what was torn, or bring it to its end: the ledger says less, or more, after that."""

    async def mend(self, upstream: str, found: Sequence[Difference]) -> bool:
        """Set counters right; False where one has changed since, which is then left alone."""

    async def closed_since(self, upstream: str, since_ms: int) -> frozenset[str]:
        """The requests of jobs that were closed since then."""

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """To which job each request belongs that belongs to one."""

    async def unbound(self, upstream: str) -> list[Job]:
        """Jobs that may have been submitted and have no request id, with their inputs."""

    async def book(self, upstream: str, found: Recovered, amount: Micros) -> bool:
        """Charge a request that no job knows to the organisation, once; False when it is known."""

    async def now_ms(self) -> int:
        """The clock that decides about money."""

    async def thaw(self, history: str) -> bool:
        """Let buying go on; False when the history is not the one that was looked at."""

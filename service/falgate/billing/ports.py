"""Access to the ledger that reconciliation and recovery need."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from falgate.billing.closed_job import ClosedJob, ReconcileReport, Recovered
from falgate.core.money import Micros
from falgate.jobs.job import Job
from falgate.money.charge import Charge
from falgate.money.difference import Difference
from falgate.money.frozen import Frozen


class Corrections(Protocol):
    """Closed jobs, and entries that correct them. Raises `Unavailable` without Redis."""

    def closes(self, upstream: str, since_ms: int, until_ms: int) -> AsyncIterator[list[ClosedJob]]:
        """Yield pages of the jobs that were closed in a period, oldest first."""

    async def correct(self, upstream: str, closed: ClosedJob, now: Charge, why: str) -> bool:
        """Set a job's cost to what fal billed, once; False if that changes nothing."""

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """Return the job of each request that belongs to one."""

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Return whether the caller is to reconcile now; if so, no one else may for `lease_ms`."""

    async def compared_until_ms(self, upstream: str) -> int:
        """Return until when complete rounds have compared fal's billing; 0 if there was none."""

    async def keep(self, upstream: str, summary: ReconcileReport, *, whole: bool) -> None:
        """Store a round's result; the next round begins where a complete (`whole`) one ended."""


class Recovery(Protocol):
    """A ledger that may have lost data. Raises `Unavailable` without Redis."""

    async def frozen(self) -> tuple[Frozen | None, str]:
        """Return why purchases are stopped, if they are, and the server's history."""

    async def books(self) -> list[str]:
        """Return the names of all upstreams; each has a ledger of its own."""

    async def differences(self, upstream: str) -> tuple[Difference, ...]:
        """Return the counters that differ from the ledger; raises `EntryStrange`."""

    async def undo_torn(self, upstream: str) -> None:
        """Undo or complete torn operations, which removes entries or changes counters."""

    async def mend(self, upstream: str, found: Sequence[Difference]) -> bool:
        """Correct counters; False if one has changed since, which is then left alone."""

    async def closed_since(self, upstream: str, since_ms: int) -> frozenset[str]:
        """Return the requests of jobs that were closed since then."""

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """Return the job of each request that belongs to one."""

    async def unbound(self, upstream: str) -> list[Job]:
        """Return jobs that may have been submitted and have no request id, with their inputs."""

    async def book(self, upstream: str, found: Recovered, amount: Micros) -> bool:
        """Charge an unknown request to the organisation, once; False if it is known by now."""

    async def now_ms(self) -> int:
        """Return the authoritative time, in milliseconds since 1970."""

    async def thaw(self, history: str) -> bool:
        """Allow purchases again; False if the server's history is not the given one."""

"""The health of a ledger: when it was last verified and compared with fal's billing, and how."""

from typing import Protocol, runtime_checkable

import msgspec

from falgate.billing.closed_job import ReconcileReport
from falgate.money.frozen import Frozen
from falgate.money.verification import VerificationResult


class LedgerHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a ledger, without reading its entries.

    Attributes:
        at_ms: When this was read, Redis's time.
        entries: How many entries it has, those in archives aside.
        first_ms: When the oldest of them was written; 0 without any.
        last_ms: When the newest was; 0 without any.
        archived_ms: When the last entry was written that is in an archive; 0 without archives.
        frozen: Why purchases are stopped; None if they are not.
        torn: How many operations Redis has executed only in part, or is executing.
        verified: Result of the last verification by a gateway, if there was one.
        reconciled: Result of the last comparison with fal's billing, if there was one.
        compared_until_ms: Jobs closed before then were compared without a gap; 0 if none were.
    """

    at_ms: int
    entries: int
    first_ms: int
    last_ms: int
    archived_ms: int
    frozen: Frozen | None
    torn: int
    verified: VerificationResult | None
    reconciled: ReconcileReport | None
    compared_until_ms: int


@runtime_checkable
class LedgerHealthStore(Protocol):
    """The health of every ledger. Raises `Unavailable` without Redis."""

    async def read(self, upstream: str) -> LedgerHealth:
        """Return the health of an upstream's ledger."""

"""Where the money of an upstream stands: what the ledger shows to whoever watches it."""

from collections.abc import Sequence

import msgspec

from falgate.billing.closed_job import ReconcileReport
from falgate.core.account import Account
from falgate.core.money import Micros
from falgate.money.budget import Position
from falgate.money.verification import VerificationResult


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One account.

    Attributes:
        account: The organisation or a team.
        positions: In each window.
        waiting: Held by purchases that have not been submitted yet, micro-USD.
    """

    account: Account
    positions: Sequence[Position]
    waiting: Micros


class UpstreamStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream's books.

    Attributes:
        upstream: Whose books.
        accounts: The organisation and its teams.
        house: Limit and what is used of it, micro-USD.
        open_jobs: How many.
        frozen: Whether buying is frozen until fal's books were read.
        reconciled: What the last look at the seller's billing found, if there was one.
        proved: What came of verifying the ledger, if that was done yet.
    """

    upstream: str
    accounts: Sequence[AccountStanding]
    house: tuple[Micros, Micros]
    open_jobs: int
    frozen: bool
    reconciled: ReconcileReport | None = None
    proved: VerificationResult | None = None

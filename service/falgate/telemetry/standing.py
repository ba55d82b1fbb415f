"""The budget gauges of an upstream, as read from the ledger."""

from collections.abc import Mapping, Sequence

import msgspec

from falgate.billing.closed_job import ReconcileReport
from falgate.core.account import Account, Level
from falgate.core.money import Micros
from falgate.money.budget import Position
from falgate.money.verification import VerificationResult


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The gauges of one account.

    Attributes:
        account: The organisation, a team or a model.
        positions: Its position in each window.
        waiting: Held by purchases that have not been submitted yet, micro-USD.
    """

    account: Account
    positions: Sequence[Position]
    waiting: Micros


class UpstreamStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The gauges of one upstream.

    Attributes:
        upstream: The upstream whose ledger was read.
        accounts: The organisation, its teams and the models.
        overage: The overage account: its limit and how much of it is used, micro-USD.
        open_jobs: Number of open jobs.
        frozen: Whether purchases are stopped until the ledger is recovered.
        stops: How many subjects of each level operators stopped.
        reconciled: Result of the last reconciliation, if there was one.
        proved: Result of the last ledger check, if there was one.
    """

    upstream: str
    accounts: Sequence[AccountStanding]
    overage: tuple[Micros, Micros]
    open_jobs: int
    frozen: bool
    stops: Mapping[Level, int]
    reconciled: ReconcileReport | None = None
    verified: VerificationResult | None = None

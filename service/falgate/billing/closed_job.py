"""Closed jobs as the ledger has them, and the results of reconciliation and recovery."""

from typing import Literal

import msgspec

from falgate.core.money import Micros
from falgate.money.charge import Charge
from falgate.money.entry import Close

NOBODY = "-"
"""Team, app and key of requests that no job of ours sent: the organisation and the model pay."""


Why = Literal["billed otherwise", "not billed", "not at fal"]
"""Why a closed job is corrected: fal billed another amount, or nothing, or never got it."""


class ClosedJob(Close, frozen=True, kw_only=True):
    """A closed job: its closing entry, and what later corrections made of it.

    Attributes:
        charge: Its current cost.
        compared: Whether it was compared with fal's billing.
    """

    charge: Charge
    compared: bool = False


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction that was booked.

    Attributes:
        closed: The job as it was before.
        now: The cost now.
        why: See `Why`.
    """

    closed: ClosedJob
    now: Charge
    why: Why

    @property
    def difference(self) -> Micros:
        """Signed micro-USD: negative if fal billed less than was booked."""
        return self.now.total - self.closed.charge.total


class ReconcileReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a reconciliation round.

    Attributes:
        at_ms: When it ran, Redis's time.
        since_ms: It compared jobs that were closed from then on.
        until_ms: And before then.
        looked: Number of jobs compared.
        corrected: Number of jobs corrected.
        difference: Sum of the corrections, signed micro-USD.
        pending: Number of jobs that fal's billing does not decide yet.
        drift: What fal billed for requests that belong to no job, in micro-USD.
        unmatched: Number of those requests.
        strange: Whether fal's billing has no request of ours, so that nothing was refunded.
    """

    at_ms: int
    since_ms: int
    until_ms: int
    looked: int = 0
    corrected: int = 0
    difference: Micros = 0
    pending: int = 0
    drift: Micros = 0
    unmatched: int = 0
    strange: bool = False


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fal has carried out and no job knows.

    Attributes:
        request_id: fal's id.
        model: The endpoint.
        sent_ms: When fal received it, in milliseconds since 1970.
        job: The open job that sent it, or "".
        amount: What is booked for it, in micro-USD; None if unknown, or if a job accounts for it.
        billed: Whether fal billed that amount; otherwise it is the most that it may cost.
    """

    request_id: str
    model: str
    sent_ms: int
    job: str = ""
    amount: Micros | None = None
    billed: bool = False

"""Closed jobs as the ledger has them, and the results of reconciliation and recovery."""

from typing import Literal

import msgspec

from falgate.core.money import Micros
from falgate.money.charge import Charge

NOBODY = "-"
"""Team, app and key of requests that no job of ours sent: charged to the organisation alone."""


Why = Literal["billed otherwise", "not billed", "not at fal"]
"""Why a closed job is corrected: fal billed another amount, or nothing, or never got it."""


class ClosedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A closed job as the ledger has it, including later corrections.

    Attributes:
        entry: Id of the closing entry in the ledger.
        closed_ms: When the entry was written, Redis's time.
        job: The job's id.
        outcome: The state in which it was closed; "recovered" if no job of ours sent the request.
        model: The endpoint.
        request_id: fal's id, or "" if it is unknown.
        windows: Names of the budget windows that were charged.
        team: Who is charged; likewise `app` and `key`.
        held: The most that it could cost the budgets, in micro-USD.
        charge: Its current cost.
        compared: Whether it was compared with fal's billing.
    """

    entry: str
    closed_ms: int
    job: str
    outcome: str
    model: str
    request_id: str
    windows: tuple[str, ...]
    team: str
    app: str
    key: str
    held: Micros
    charge: Charge
    compared: bool = False


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction that was booked.

    Attributes:
        job: The job's id.
        request_id: fal's id, or "".
        team: The team that is charged.
        app: The app that asked.
        was: The cost before.
        now: The cost now.
        why: See `Why`.
    """

    job: str
    request_id: str
    team: str
    app: str
    was: Charge
    now: Charge
    why: Why

    @property
    def difference(self) -> Micros:
        """Signed micro-USD: negative if fal billed less than was booked."""
        return self.now.total - self.was.total


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
        strangers: Number of those requests.
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
    strangers: int = 0
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

"""Postings: what a closed job came to in the ledger, and what was found of it."""

from typing import Literal

import msgspec

from falgate.core.money import Micros
from falgate.money.charge import Charge

NOBODY = "-"
"""Team, app and key of what no job of ours ordered: charged to the organisation alone."""


Why = Literal["billed otherwise", "not billed", "not at fal"]
"""Why a closed job is corrected: fal billed another amount, or nothing; or never had it."""


class ClosedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A closed job as the ledger has it, with what was corrected since.

    Attributes:
        entry: The closing entry's id in the ledger.
        closed_ms: When it was written, Redis time.
        job: Its id.
        outcome: The state that it was closed with; "recovered" for what no job of ours ordered.
        model: The endpoint.
        request_id: fal's id, or "" where it was never heard.
        windows: Of the budgets that it was charged in.
        team: Whom it is charged to, and so on.
        app: See above.
        key: See above.
        held: What it could cost the budgets at most, micro-USD.
        charge: What it comes to now.
        compared: Whether that was compared with fal's billing.
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
    """A correction that was posted.

    Attributes:
        job: Its id.
        request_id: fal's id, or "".
        team: Who answers for the money.
        app: Who asked.
        was: What the ledger said.
        now: What it says since.
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
        """Signed: negative where fal billed less than was booked. Micro-USD."""
        return self.now.total - self.was.total


class ReconcileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at fal's billing found.

    Attributes:
        at_ms: When it was, Redis time.
        since_ms: The jobs that it was about were closed from then on.
        until_ms: And before this.
        looked: How many jobs.
        corrected: How many of them were posted anew.
        difference: What that came to, signed, micro-USD.
        pending: Jobs that fal's books do not decide yet.
        drift: What fal billed for requests that belong to no job of ours, micro-USD.
        strangers: How many such requests.
        strange: Nothing in fal's books is ours, so that nothing was taken for not billed.
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
    """A request that fal has carried out and no job of ours knows.

    Attributes:
        request_id: fal's id.
        model: The endpoint.
        sent_ms: When it came, milliseconds since 1970.
        job: The open job that has sent it, or "" where there is none.
        amount: What is booked for it, micro-USD; None where nobody can say, or a job has it.
        billed: Whether fal has said so; else it is the most that it may cost.
    """

    request_id: str
    model: str
    sent_ms: int
    job: str = ""
    amount: Micros | None = None
    billed: bool = False

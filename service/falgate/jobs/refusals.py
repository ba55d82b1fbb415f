"""Why a caller gets no pictures: words for what a hold was answered and how a job ended."""

import math

from falgate.accounts.limits import Exceeded
from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import (
    BudgetExhausted,
    BuyingStopped,
    Refusal,
    TimedOut,
    TooMany,
    Unavailable,
    UpstreamRefused,
    UpstreamUnusable,
)
from falgate.core.money import dollars
from falgate.fal.account import is_unpaid
from falgate.jobs.job import Job, Order
from falgate.jobs.verdicts import (
    Denied,
    HouseFull,
    LedgerMismatch,
    NoBudget,
    OtherCalendar,
    Verdict,
)
from falgate.money.frozen import Frozen

_LIMITS = {
    "requests_per_second": "requests in a second",
    "generations_per_minute": "purchases in a minute",
    "generations_at_once": "purchases under way at once",
    "waiting_generations": "purchases that wait for their turn",
}
_BUSY, _NOT_THERE = 429, 503


def of_limit(exceeded: Exceeded) -> TooMany:
    """Which limit on pace has no room."""
    what = _LIMITS[exceeded.what]
    seconds = max(1, math.ceil(exceeded.retry_after_ms / 1000))
    said = f"{exceeded.account} may have {exceeded.limit} {what}"
    return TooMany(said, seconds, f"{exceeded.account} {exceeded.what}")


def of_verdict(verdict: Verdict, order: Order, calendar: Calendar) -> Refusal:  # noqa: PLR0911 - one return for each verdict
    """Why nothing may be bought now; `calendar` words when a budget starts anew."""
    match verdict:
        case Denied(account, window, limit, spent, held):
            return BudgetExhausted(
                "the organisation" if account == ORGANISATION else account.name,
                window.kind,
                limit=limit,
                spent=spent,
                held=held,
                needed=order.held,
                resets=calendar.resets_at(window),
            )
        case Exceeded():
            return of_limit(verdict)
        case NoBudget():
            return BuyingStopped(
                "The organisation has no budget, and without one nothing is bought"
            )
        case HouseFull(limit, overrun):
            return BuyingStopped(
                f"fal billed ${dollars(overrun)} more than was held, and the house limit is "
                f"${dollars(limit)}: nothing more is bought until an operator raises it"
            )
        case LedgerMismatch():
            return Unavailable("The ledger is not the one that falgate started with", 30)
        case Frozen():
            return verdict.refusal()
        case OtherCalendar(name):
            return Unavailable(f"The ledger counts its windows by {name}, and falgate does not", 60)
    raise AssertionError(f"{verdict} is no refusal")


def of_ending(job: Job) -> Refusal:
    """Why a job brings no pictures, for whoever waits for it."""
    if job.trouble == "lost" or job.state == "unknown":
        return TimedOut(
            "fal did not say what became of this purchase. It is not bought again until that is "
            "known or given up; ask again later"
        )
    if job.answer is None:
        when = "yet; ask again later" if job.state == "paid" else "any more"
        return TimedOut(f"fal's pictures are paid for, and cannot be fetched {when}")
    answer = job.answer
    if job.state == "refused":
        return UpstreamRefused(answer.status, answer.body, answer.headers)
    if answer.status == _BUSY:
        return Unavailable("fal takes no more requests now; nothing was bought", 5)
    if answer.status == _NOT_THERE:
        # Not fal's own words, but ours for why the submit did not leave.
        return Unavailable(f"{answer.body['detail']}; nothing was bought", 5)
    said = "for want of balance" if is_unpaid(answer) else f"({answer.status})"
    return UpstreamUnusable(
        f"fal refused this gateway's own request {said}; its operator has to look"
    )

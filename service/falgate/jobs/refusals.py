"""Errors for callers: what a hold's verdict, or the end of a job, means for them."""

import math

from falgate.accounts.limits import Exceeded
from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import (
    Refusal,
    TimedOut,
    TooMany,
    Unavailable,
    UpstreamRefused,
    UpstreamUnusable,
)
from falgate.core.money import dollars
from falgate.core.money_errors import BudgetExhausted, BuyingStopped
from falgate.fal.account import is_unpaid
from falgate.jobs.job import Job, Order
from falgate.jobs.verdicts import (
    Denied,
    LedgerMismatch,
    NoBudget,
    OtherCalendar,
    OverageFull,
    Verdict,
)
from falgate.money.frozen import Frozen
from falgate.money.stop import Stopped

_LIMITS = {
    "requests_per_second": "requests per second",
    "generations_per_minute": "purchases per minute",
    "generations_at_once": "concurrent purchases",
    "waiting_generations": "purchases waiting for a slot",
}
_GONE, _BUSY, _NOT_THERE = 410, 429, 503


def of_limit(exceeded: Exceeded) -> TooMany:
    """Return the error for an exceeded limit on requests or purchases."""
    what = _LIMITS[exceeded.what]
    seconds = max(1, math.ceil(exceeded.retry_after_ms / 1000))
    said = f"{exceeded.account} is limited to {exceeded.limit} {what}"
    return TooMany(said, seconds, f"{exceeded.account} {exceeded.what}")


def of_verdict(verdict: Verdict, order: Order, calendar: Calendar) -> Refusal:  # noqa: PLR0911 - one return for each verdict
    """Return why nothing can be bought now; `calendar` tells when a budget resets."""
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
                "The organisation has no budget; without one, nothing can be bought"
            )
        case OverageFull(limit, overrun):
            return BuyingStopped(
                f"fal billed ${dollars(overrun)} more than was held, and the overage limit is "
                f"${dollars(limit)}; purchases are stopped until an operator raises it"
            )
        case LedgerMismatch():
            return Unavailable("The ledger in Redis is not the one that falgate started with", 30)
        case Frozen() | Stopped():
            return verdict.refusal()
        case OtherCalendar(name):
            return Unavailable(f"The ledger's calendar is {name}, but falgate uses another one", 60)
    raise AssertionError(f"{verdict} is no refusal")


def of_ending(job: Job) -> Refusal:
    """Return why a job brings no pictures, for the callers that wait for it."""
    if job.trouble == "lost" or job.state == "unknown":
        return TimedOut(
            "The outcome of this purchase is unknown. It will not be retried until it is resolved; "
            "try again later"
        )
    if job.answer is None:
        when = "yet; try again later" if job.state == "paid" else "any more"
        return TimedOut(f"The pictures are paid for, but cannot be fetched from fal {when}")
    answer = job.answer
    if job.state == "refused" or answer.status == _GONE:
        return UpstreamRefused(answer.status, answer.body, answer.headers)
    if answer.status == _BUSY:
        return Unavailable("fal accepts no more requests now; nothing was bought", 5)
    if answer.status == _NOT_THERE:
        # The detail is not fal's but ours: why the submit was not sent.
        return Unavailable(f"{answer.body['detail']}; nothing was bought", 5)
    said = "for lack of balance" if is_unpaid(answer) else f"({answer.status})"
    return UpstreamUnusable(
        f"fal refused this gateway's own request {said}; its operator must resolve this"
    )

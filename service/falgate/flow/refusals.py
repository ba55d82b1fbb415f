"""Why a caller gets no pictures: words for what a hold was answered and how a job ended."""

from datetime import tzinfo

from falgate.core import budget
from falgate.core.claim import Denied, HouseFull, Unborn, Unlimited, Verdict
from falgate.core.errors import (
    BudgetExhausted,
    BuyingStopped,
    Refusal,
    TimedOut,
    Unavailable,
    UpstreamRefused,
    UpstreamUnusable,
)
from falgate.core.job import Job, Order
from falgate.core.money import dollars

_BUSY, _NOT_THERE = 429, 503


def of_verdict(verdict: Verdict, order: Order, zone: tzinfo) -> Refusal:
    """Why nothing may be bought now; `zone` words when a budget starts anew."""
    match verdict:
        case Denied(account, window, limit, spent, held):
            return BudgetExhausted(
                f"the {account.level}",
                window.kind,
                limit=limit,
                spent=spent,
                held=held,
                needed=order.held,
                resets=budget.resets_at(window, zone),
            )
        case Unlimited():
            return BuyingStopped(
                "The organisation has no budget, and without one nothing is bought"
            )
        case HouseFull(limit, overrun):
            return BuyingStopped(
                f"fal billed ${dollars(overrun)} more than was held, and the house limit is "
                f"${dollars(limit)}: nothing more is bought until an operator raises it"
            )
        case Unborn():
            return Unavailable("The ledger is not the one that falgate started with", 30)
    raise AssertionError(f"{verdict} is no refusal")


def of_ending(job: Job) -> Refusal:
    """Why a job brings no pictures, for whoever waits for it."""
    if job.trouble == "lost" or job.state == "unknown":
        return TimedOut(
            "fal did not say what became of this purchase. It is not bought again until that is "
            "known or given up; ask again later"
        )
    if job.answer is None:
        return TimedOut("fal's pictures could not be fetched any more")
    answer = job.answer
    if job.state == "refused":
        return UpstreamRefused(answer.status, answer.body, answer.headers)
    if answer.status == _BUSY:
        return Unavailable("fal takes no more requests now; nothing was bought", 5)
    if answer.status == _NOT_THERE:
        # Not fal's own words, but ours for why the submit did not leave.
        return Unavailable(f"{answer.body['detail']}; nothing was bought", 5)
    return UpstreamUnusable(
        f"fal refused this gateway's own request ({answer.status}); its operator has to look"
    )

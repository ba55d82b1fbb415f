"""What fal answered, and what it means for the money: settle, release, or keep and wait."""

import re
from typing import Any, Literal

import msgspec

from falgate.core.money import Micros
from falgate.fal.replies import Delivered, Failed, FalAnswer, Rejected, Unsent
from falgate.jobs.job import ENDS, Job
from falgate.models import price
from falgate.models.spec import ModelSpec

_SERVER_ERROR = 500
_CREDENTIALS = frozenset({401, 402, 403, 404})
_BUSY = 429
_UNPROCESSABLE = 422
_TIMED_OUT = 504
_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_SENT_AGAIN = frozenset({408, 409, 429})


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a hold.

    Attributes:
        state: The state that the job moves to.
        charge: What is spent, micro-USD; the rest of the hold is given back.
        delivered: Pictures.
        answer: fal's refusal, to be shared with all who wait.
        why: For the ledger: why there are no pictures, in a word of fal's or a few of ours.
    """

    state: Literal["paid", "refused", "released", "unknown"]
    charge: Micros
    delivered: int = 0
    answer: FalAnswer | None = None
    why: str = ""


UNKNOWN = "fal never said what became of it"
"""Why a job that is settled as unknown has no pictures."""


def settled(job: Job, settlement: Settlement, output: Any, *, remaining: Micros) -> Job:
    """A job whose hold was settled so, as `jobs_settle.lua` writes it.

    Args:
        job: As it was before.
        settlement: What became of its hold.
        output: fal's answer; None where there is none.
        remaining: Of the tightest budget; negative where there is none.
    """
    charged = min(settlement.charge, job.order.held)
    ended = settlement.state in ENDS
    return msgspec.structs.replace(
        job,
        order=msgspec.structs.replace(job.order, input={}) if ended else job.order,
        state=settlement.state,
        output=output,
        charged=charged,
        overrun=settlement.charge - charged,
        remaining=None if remaining < 0 else remaining,
        answer=settlement.answer,
        trouble="",
        troubled_ms=0,
    )


def after_submit(submission: Unsent | Rejected) -> Settlement:
    """Both give the whole hold back; only what fal said about this very input is shared."""
    if isinstance(submission, Unsent):
        unreachable = FalAnswer(503, {"detail": "fal cannot be reached"}, {})
        return Settlement(
            state="released", charge=0, answer=unreachable, why="fal could not be reached"
        )
    answer = submission.answer
    if answer.status in _CREDENTIALS or answer.status == _BUSY:
        # About this gateway's key, model or pace: another try may fare better, after a while.
        return Settlement(state="released", charge=0, answer=answer, why=_why(answer))
    return Settlement(state="refused", charge=0, answer=answer, why=_why(answer))


def after_result(
    spec: ModelSpec,
    arguments: Any,
    held: Micros,
    result: Delivered | Failed,
    *,
    start_within_s: float = 0,
) -> Settlement:
    """Charge by pictures delivered; release only where fal says or promises to bill nothing.

    fal does not charge a 5xx (https://fal.ai/docs/model-apis/faq), and reports zero units where it
    refused an input unread. Any other refusal may have been billed: charged until fal's billing
    says otherwise, without the margin for what the model would have thought. Zero units on a
    delivered picture are a doubt, not a price. That a job was not started within `start_within_s`
    is its leader's own affair: nobody shares that.
    """
    free = is_zero(result.units)
    if isinstance(result, Failed):
        if start_within_s and _is_too_late(result.answer):
            return Settlement(state="released", charge=0, why=_why(result.answer))
        answer, why = result.answer, _why(result.answer)
        if free or answer.status >= _SERVER_ERROR:
            return Settlement(state="refused", charge=0, answer=answer, why=why)
        charge = _without_pictures(spec, arguments, held)
        return Settlement(state="refused", charge=charge, answer=_final(answer), why=why)
    delivered = len(spec.files(result.output))
    if delivered == 0:
        # Not a 502: JavaScript's client would buy nothing three more times.
        nothing = FalAnswer(422, {"detail": "fal delivered no picture"}, {})
        charge = 0 if free else _without_pictures(spec, arguments, held)
        return Settlement(
            state="refused", charge=charge, answer=nothing, why="fal delivered no picture"
        )
    try:
        charge = price.cost(spec, arguments, delivered)
    except price.PriceUnknown:
        # Priced when it was held, and no more by this version's table.
        charge = held
    return Settlement(state="paid", charge=charge, delivered=delivered)


def _without_pictures(spec: ModelSpec, arguments: Any, held: Micros) -> Micros:
    """What is booked where nothing was made, and fal may bill it all the same."""
    try:
        return min(held, price.without_pictures(spec, arguments, spec.asked(arguments)))
    except price.PriceUnknown:
        return held


def _why(answer: FalAnswer) -> str:
    """A refusal in fal's own word for it, where it has one."""
    word = answer.error_type or ""
    return word if _WORD.fullmatch(word) else f"fal answered {answer.status}"


def _is_too_late(answer: FalAnswer) -> bool:
    """Whether fal gave a request up because its caller's own time for the start was over."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    by_user = headers.get("x-fal-request-timeout-type") == "user"
    return answer.status == _TIMED_OUT and by_user


def _final(answer: FalAnswer) -> FalAnswer:
    """A refusal that was paid for, with a status that no client sends again by itself."""
    if answer.status not in _SENT_AGAIN:
        return answer
    return FalAnswer(_UNPROCESSABLE, answer.body, answer.headers)


def is_zero(units: str | None) -> bool:
    """Whether fal said in so many digits that it bills nothing."""
    digits = (units or "").strip().replace(".", "", 1)
    return digits.isdigit() and not digits.strip("0")

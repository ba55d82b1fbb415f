"""What fal's answer means for a hold: settle it, release it, or keep it and wait."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from falgate.core.money import Micros
from falgate.fal.gone import says_gone
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
        charge: What is spent, in micro-USD; the rest of the hold is released.
        delivered: Number of pictures.
        listed: Their list price, in micro-USD.
        answer: fal's refusal, which all who wait get.
        why: Why there are no pictures, for the ledger: fal's error type, or a few words of ours.
    """

    state: Literal["paid", "refused", "released", "unknown"]
    charge: Micros
    delivered: int = 0
    listed: Micros = 0
    answer: FalAnswer | None = None
    why: str = ""


UNKNOWN = "fal never reported an outcome"
"""Why a job that is settled as unknown has no pictures."""


def settled(job: Job, settlement: Settlement, output: Any, *, remaining: Micros) -> Job:
    """Return a job whose hold was settled, as `jobs_settle.lua` stores it.

    Args:
        job: As it was before.
        settlement: What becomes of its hold.
        output: fal's result; None if there is none.
        remaining: Of the tightest budget, in micro-USD; negative if there is none.
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
    """Release the whole hold; only a refusal of this very input is shared with followers."""
    if isinstance(submission, Unsent):
        unreachable = FalAnswer(503, {"detail": "fal cannot be reached"}, {})
        return Settlement(
            state="released", charge=0, answer=unreachable, why="fal could not be reached"
        )
    answer = submission.answer
    if answer.status in _CREDENTIALS or answer.status == _BUSY or says_gone(answer):
        # About this gateway's key, model or rate, not the input: a later attempt may succeed.
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
    """Charge for the pictures delivered; release the hold only if fal certainly bills nothing.

    fal does not charge for a 5xx (https://fal.ai/docs/model-apis/faq), and reports zero units for
    an input that it refused unread. Any other refusal may be billed: it is charged, without the
    margin for reasoning, until fal's billing says otherwise. Zero units for a delivered picture are
    reported as an anomaly, not taken for its price. If the job was not started within
    `start_within_s`, only its leader is told: followers did not set that limit.
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
    files = spec.files(result.output)
    if not files:
        # Not a 502: fal's JavaScript client would retry that three times, and pay for nothing.
        nothing = FalAnswer(422, {"detail": "fal delivered no picture"}, {})
        charge = 0 if free else _without_pictures(spec, arguments, held)
        return Settlement(
            state="refused", charge=charge, answer=nothing, why="fal delivered no picture"
        )
    number, sizes = len(files), [size for file in files if (size := _size(file))]
    try:
        charge = price.cost(spec, arguments, number, sizes)
        listed = price.worth(spec, arguments, number, sizes)
    except price.PriceUnknown:
        # It had a price when it was held, but the price table of this version has none.
        charge = listed = held
    return Settlement(state="paid", charge=charge, delivered=number, listed=listed)


def _size(file: Mapping[str, Any]) -> price.Pixels | None:
    """Return the size that fal reports for a picture, which it has not fetched yet, if it does."""
    match file:
        case {"width": bool()} | {"height": bool()}:  # they are integers too
            return None
        case {"width": int(width), "height": int(height)} if width > 0 and height > 0:
            return width, height
    return None


def _without_pictures(spec: ModelSpec, arguments: Any, held: Micros) -> Micros:
    """Return the charge if nothing was made but fal may bill the request."""
    try:
        return min(held, price.without_pictures(spec, arguments, spec.asked(arguments)))
    except price.PriceUnknown:
        return held


def _why(answer: FalAnswer) -> str:
    """Return fal's error type for a refusal, or its status."""
    word = answer.error_type or ""
    return word if _WORD.fullmatch(word) else f"fal answered {answer.status}"


def _is_too_late(answer: FalAnswer) -> bool:
    """Return whether fal gave a request up because the caller's start time-out was over."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    by_user = headers.get("x-fal-request-timeout-type") == "user"
    return answer.status == _TIMED_OUT and by_user


def _final(answer: FalAnswer) -> FalAnswer:
    """Return a refusal that was paid for, with a status that no client retries by itself.

    fal's clients would retry a 429, for example, and so buy again.
    """
    if answer.status not in _SENT_AGAIN:
        return answer
    return FalAnswer(_UNPROCESSABLE, answer.body, answer.headers)


def is_zero(units: str | None) -> bool:
    """Return whether fal explicitly reported zero units."""
    digits = (units or "").strip().replace(".", "", 1)
    return digits.isdigit() and not digits.strip("0")

"""Why a request was refused: a closed set of reasons, and the budget, limit or stop."""

import re
from collections.abc import Mapping
from typing import Literal

from falgate.core import errors, money_errors
from falgate.core.errors import Refusal

Reason = Literal[
    "key",
    "not_allowed",
    "pace",
    "budget",
    "buying_stopped",
    "model",
    "input",
    "upstream",
    "unavailable",
    "timeout",
    "not_cached",
    "request",
]
"""A metric label. "request" covers everything else that is wrong with a request."""

_REASONS: Mapping[type[Refusal], Reason] = {
    errors.KeyUnknown: "key",
    errors.KeyMalformed: "key",
    errors.KeyRefused: "key",
    errors.NotAllowed: "not_allowed",
    errors.TooMany: "pace",
    money_errors.BudgetExhausted: "budget",
    money_errors.BuyingStopped: "buying_stopped",
    errors.ModelUnknown: "model",
    errors.ModelRetired: "model",
    errors.InputRejected: "input",
    errors.PriceMissing: "input",
    errors.UpstreamRefused: "upstream",
    errors.UpstreamUnusable: "upstream",
    errors.Unavailable: "unavailable",
    errors.TimedOut: "timeout",
    errors.NotCached: "not_cached",
}
_WORD = re.compile(r"[a-z_]{1,64}")


def reason(refusal: Refusal) -> Reason:
    """Return the reason for a refusal, by its class or nearest base class."""
    return next((_REASONS[each] for each in type(refusal).__mro__ if each in _REASONS), "request")


def error_type(refusal: Refusal) -> str | None:
    """Return fal's machine-readable code for a refusal, or None if it has no valid one.

    Where an answer of fal's is passed on, the code is fal's own.
    """
    headers = {name.lower(): value for name, value in refusal.headers().items()}
    word = refusal.error_type or headers.get("x-fal-error-type", "")
    return word if _WORD.fullmatch(word) else None


def about(refusal: Refusal) -> dict[str, str]:
    """Return the budget, limit or stop that refused, for the log."""
    if isinstance(refusal, money_errors.BudgetExhausted):
        return {"budget": refusal.budget, "window": refusal.window}
    if isinstance(refusal, errors.TooMany) and refusal.limit:
        return {"limit": refusal.limit}
    if isinstance(refusal, money_errors.StoppedByOperator):
        return {"stopped": refusal.subject}
    return {}

"""Why a request was refused, in a few closed words, and by which budget or limit."""

import re
from collections.abc import Mapping
from typing import Literal

from falgate.core import errors
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
"""A label of metrics. request: whatever else was wrong with the request."""

_REASONS: Mapping[type[Refusal], Reason] = {
    errors.KeyUnknown: "key",
    errors.KeyMalformed: "key",
    errors.KeyRefused: "key",
    errors.NotAllowed: "not_allowed",
    errors.TooMany: "pace",
    errors.BudgetExhausted: "budget",
    errors.BuyingStopped: "buying_stopped",
    errors.ModelUnknown: "model",
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
    """Why, by its class or the nearest class that it is of."""
    return next((_REASONS[each] for each in type(refusal).__mro__ if each in _REASONS), "request")


def error_type(refusal: Refusal) -> str | None:
    """fal's machine-readable word for it; None where there is none, or something else in its place.

    Of an answer of fal's that is handed on, the word is fal's.
    """
    headers = {name.lower(): value for name, value in refusal.headers().items()}
    word = refusal.error_type or headers.get("x-fal-error-type", "")
    return word if _WORD.fullmatch(word) else None


def about(refusal: Refusal) -> dict[str, str]:
    """Which budget or limit refused, for the log."""
    if isinstance(refusal, errors.BudgetExhausted):
        return {"budget": refusal.budget, "window": refusal.window}
    if isinstance(refusal, errors.TooMany) and refusal.limit:
        return {"limit": refusal.limit}
    return {}

"""Refusals: status, body, headers, and what fal's clients will do about each."""

from typing import Any

import msgspec
import pytest

from falgate.core import errors, money_errors
from falgate.core.errors import Refusal

SENT_AGAIN = {408, 409, 429, 502, 503, 504}
"""The statuses that one or the other of fal's clients answers with a retry."""


def exhausted(resets: str | None = None, held: int = 20_000) -> money_errors.BudgetExhausted:
    return money_errors.BudgetExhausted(
        "team red", "day", limit=1_000_000, spent=900_000, held=held, needed=133_000, resets=resets
    )


def flat(detail: str, error_type: str) -> dict[str, str]:
    return {"detail": detail, "error_type": error_type}


CASES: dict[str, tuple[Refusal, int, Any, dict[str, str]]] = {
    "unforeseen": (Refusal("why"), 500, {"detail": "why"}, {}),
    "key unknown": (
        errors.KeyUnknown(),
        401,
        {"detail": "No user found for Key ID and Secret"},
        {},
    ),
    "key malformed": (
        errors.KeyMalformed(),
        401,
        {"detail": "Invalid Key Authorization header format. Expected 'Key fg_...'."},
        {},
    ),
    "key refused": (
        errors.KeyRefused("expired"),
        403,
        {"detail": "This key is expired. Ask whoever runs falgate for another one."},
        {},
    ),
    "not allowed": (errors.NotAllowed("not here"), 403, {"detail": "not here"}, {}),
    "too many": (
        errors.TooMany("team:web is limited to 2 requests per second", 3),
        429,
        flat("team:web is limited to 2 requests per second", "rate_limit_exceeded"),
        {"X-Fal-Error-Type": "rate_limit_exceeded", "Retry-After": "3"},
    ),
    "budget": (
        exhausted("2026-09-01T00:00:00+02:00"),
        402,
        flat(
            "The day budget of team red cannot pay for this: limit $1.00, spent $0.90, "
            "held $0.02, needed $0.133. It resets at 2026-09-01T00:00:00+02:00.",
            "budget_exceeded",
        ),
        {"X-Fal-Error-Type": "budget_exceeded", "X-Falgate-Budget-Remaining-Usd": "0.08"},
    ),
    "buying stopped": (
        money_errors.BuyingStopped("no budget"),
        402,
        flat("no budget", "buying_stopped"),
        {"X-Fal-Error-Type": "buying_stopped"},
    ),
    "stopped by an operator": (
        money_errors.StoppedByOperator("team:web", "team web", "a leak"),
        402,
        flat("An operator stopped purchases for team web: a leak", "buying_stopped"),
        {"X-Fal-Error-Type": "buying_stopped"},
    ),
    "model unknown": (
        errors.ModelUnknown("flux"),
        404,
        {"detail": 'Application "flux" not found'},
        {},
    ),
    "model retired": (
        errors.ModelRetired("acme/easel", "acme/easel-2"),
        410,
        flat(
            "acme/easel has ended, and only its cached pictures are still served; its successor is "
            "acme/easel-2",
            "model_retired",
        ),
        {
            "X-Fal-Error-Type": "model_retired",
            "x-fal-billable-units": "0",
            "X-Fal-Needs-Retry": "0",
        },
    ),
    "input rejected": (
        errors.InputRejected([{"type": "missing"}]),
        422,
        {"detail": [{"type": "missing"}]},
        {"x-fal-billable-units": "0", "X-Fal-Needs-Retry": "0"},
    ),
    "price missing": (
        errors.PriceMissing("no price"),
        422,
        flat("no price", "bad_request"),
        {"X-Fal-Error-Type": "bad_request"},
    ),
    "fal refused": (
        errors.UpstreamRefused(422, {"detail": []}, {"x-fal-billable-units": "1"}),
        422,
        {"detail": []},
        {"x-fal-billable-units": "1"},
    ),
    "fal unusable": (
        errors.UpstreamUnusable("credentials"),
        500,
        flat("credentials", "downstream_service_error"),
        {"X-Fal-Error-Type": "downstream_service_error", "X-Fal-Needs-Retry": "0"},
    ),
    "unavailable": (
        errors.Unavailable("no Redis"),
        503,
        flat("no Redis", "internal_error"),
        {"X-Fal-Error-Type": "internal_error", "Retry-After": "2"},
    ),
    "store unavailable": (
        errors.StoreUnavailable(),
        503,
        flat("The picture store is not available", "internal_error"),
        {"X-Fal-Error-Type": "internal_error", "Retry-After": "2"},
    ),
    "store full": (
        errors.StoreFull(),
        503,
        flat(
            "The picture store is full, and its pictures are too new to be removed: no "
            "purchases until there is room again",
            "internal_error",
        ),
        {"X-Fal-Error-Type": "internal_error", "Retry-After": "2"},
    ),
    "header wrong": (
        errors.HeaderWrong("X-Falgate-Scope"),
        422,
        flat("X-Falgate-Scope", "bad_request"),
        {"X-Fal-Error-Type": "bad_request"},
    ),
    "not cached": (
        errors.NotCached(),
        504,
        flat(
            "Not all pictures are cached, and `only-if-cached` forbids a purchase",
            "request_timeout",
        ),
        {
            "X-Fal-Error-Type": "request_timeout",
            "X-Fal-Request-Timeout-Type": "user",
            "Cache-Control": "private, no-store",
            "Cache-Status": "falgate; detail=only-if-cached",
            "X-Falgate-Cache": "miss",
        },
    ),
    "timed out": (
        errors.TimedOut("late"),
        504,
        flat("late", "request_timeout"),
        {"X-Fal-Error-Type": "request_timeout", "X-Fal-Request-Timeout-Type": "user"},
    ),
}


@pytest.mark.parametrize(("refusal", "status", "body", "headers"), CASES.values(), ids=CASES)
def test_a_refusal_is_worded_as_fal_words_it(
    refusal: Refusal, status: int, body: Any, headers: dict[str, str]
) -> None:
    assert (refusal.status, refusal.body(), refusal.headers()) == (status, body, headers)
    assert msgspec.json.decode(msgspec.json.encode(refusal.body())) == body


def test_every_refusal_has_its_case() -> None:
    declared = {
        kind
        for kind in (*vars(errors).values(), *vars(money_errors).values())
        if isinstance(kind, type) and issubclass(kind, Refusal)
    }

    assert {type(refusal) for refusal, *_ in CASES.values()} == declared


def test_only_what_may_pass_by_itself_is_sent_again() -> None:
    again = {name for name, (refusal, *_) in CASES.items() if refusal.status in SENT_AGAIN}

    assert again == {
        "too many",
        "unavailable",
        "store unavailable",
        "store full",
        "timed out",
        "not cached",
    }


def test_a_budget_without_an_end_says_so() -> None:
    assert str(exhausted()).endswith("It does not reset by itself.")


def test_an_overdrawn_budget_has_nothing_left() -> None:
    assert exhausted(held=200_000).headers()["X-Falgate-Budget-Remaining-Usd"] == "0.00"

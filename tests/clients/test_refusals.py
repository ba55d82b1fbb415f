"""What an app sees of each refusal: its client raises at once, and asks no second time."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from falgate.core import errors, money_errors
from falgate.http import request_errors

REFUSALS: dict[str, errors.Refusal] = {
    "key_unknown": errors.KeyUnknown(),
    "key_malformed": errors.KeyMalformed(),
    "key_refused": errors.KeyRefused("revoked"),
    "budget_exhausted": money_errors.BudgetExhausted(
        "team a", "day", limit=1, spent=1, held=0, needed=1, resets="2026-12-01T00:00:00Z"
    ),
    "buying_stopped": money_errors.BuyingStopped("No organisation budget"),
    "model_unknown": errors.ModelUnknown("nothing"),
    "body_too_large": request_errors.BodyTooLarge(1),
    "input_rejected": errors.InputRejected(
        [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": {}}]
    ),
    "timed_out": errors.TimedOut("The pictures did not come in time"),
}


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """An app that answers every call to `.../NAME` with that refusal."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    refusal = REFUSALS[scope["path"].rpartition("/")[2]]
    headers = {
        "Content-Type": "application/json",
        "X-Fal-Request-Id": "0195a000-0000-7000-8000-000000000000",
        **refusal.headers(),
    }
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(refusal.body()).encode()})


@pytest.fixture(scope="module")
def refusing(serve: Callable[[Any, str], AbstractContextManager[Any]]) -> Iterator[Any]:
    with serve(refuse, "id:secret") as target:
        yield target


def test_a_refusal_reaches_the_app_whole_and_is_not_asked_again(
    drive: Callable[[Any, Any], list[dict[str, Any]]], refusing: Any
) -> None:
    calls = [
        {"call": call, "model": f"fal-ai/{name}", "arguments": {"prompt": "a fox"}}
        for name in REFUSALS
        for call in ("run", "submit")
    ]

    answers = drive(refusing, calls)

    seen = [(answer["status"], answer["body"], answer["attempts"]) for answer in answers]
    assert seen == [
        (refusal.status, refusal.body(), 1) for refusal in REFUSALS.values() for _ in range(2)
    ]


def test_javascripts_1_6_2_asks_again_after_any_time_out(drivers: Any, refusing: Any) -> None:
    call = {"call": "run", "model": "fal-ai/timed_out", "arguments": {"prompt": "a fox"}}

    answer = drivers.ask("javascript-1.6.2", refusing, {"style": "middleware", **call})

    assert (answer["status"], answer["attempts"]) == (504, 4)


def test_a_refusal_has_the_class_that_apps_catch(
    drive: Callable[[Any, Any], list[dict[str, Any]]],
    refusing: Any,
    request: pytest.FixtureRequest,
) -> None:
    """JavaScript tells bad input apart, for the sake of forms; Python has one class for all.

    That of the oldest clients says nothing but the detail, in words.
    """
    calls = [
        {"call": "run", "model": f"fal-ai/{name}", "arguments": {"prompt": "a fox"}}
        for name in ("budget_exhausted", "input_rejected")
    ]

    classes = [answer["error"] for answer in drive(refusing, calls)]

    if "python" in request.node.name:
        old = request.node.callspec.id == "python-0.5.9"
        assert classes == ["FalClientError" if old else "FalClientHTTPError"] * 2
    else:
        assert classes == ["ApiError", "ValidationError"]

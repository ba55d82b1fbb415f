"""fal's refusals: the bodies and headers of its platform and its models, by status."""

from typing import Any

import msgspec

from falgate.sandbox.answer import Answer, said
from falgate.sandbox.behaviour import Outcome, Place
from falgate.sandbox.record import Record

MALFORMED = "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."
UNKNOWN = "No user found for Key ID and Secret"

_PLATFORM: dict[int, tuple[str, str | None]] = {
    400: ("Bad request", "bad_request"),
    401: (UNKNOWN, None),
    403: (
        (
            "User is locked. Reason: Exhausted balance. "
            "Top up your balance at fal.ai/dashboard/billing."
        ),
        None,
    ),
    404: ("Application not found", None),
    405: ("Method Not Allowed", None),
    429: ("Too many concurrent requests", "concurrent_requests_limit"),
    499: ("Request was cancelled by the client", "client_cancelled"),
    500: ("Internal server error", "internal_error"),
    502: ("Runner gave an incomplete response", "runner_incomplete_response"),
    503: ("Failed to schedule a runner", "runner_scheduling_failure"),
    504: ("Request timed out", "request_timeout"),
}
"""The platform's message and error type for each status."""

_MODEL: dict[Outcome, tuple[int, tuple[str, ...], str]] = {
    "content_policy_violation": (
        422,
        ("body", "prompt"),
        (
            "The content could not be processed because it contained material flagged by a "
            "content checker."
        ),
    ),
    "no_media_generated": (
        422,
        ("body",),
        (
            "The model did not generate the expected output for this prompt. "
            "Try another prompt or other parameters."
        ),
    ),
    "generation_timeout": (504, ("body",), "Generation timed out."),
    "internal_server_error": (500, ("body",), "Internal server error."),
    "downstream_service_error": (500, ("body",), "Downstream service error."),
    "downstream_service_unavailable": (500, ("body",), "Downstream service unavailable."),
}
"""The models' errors: status, location and message."""


def platform(status: int, request_id: str, detail: str | None = None) -> Answer:
    """Return the platform's refusal; `detail` replaces its usual message."""
    words, error_type = _PLATFORM.get(status, ("Request failed", None))
    body: dict[str, Any] = {"detail": detail or words}
    headers = {}
    if error_type is not None:
        body["error_type"] = error_type
        headers["x-fal-error-type"] = error_type
    if status in {429, 503}:
        headers["x-fal-needs-retry"] = "1"
    return said(status, body, request_id, headers)


def failing(status: int, request_id: str, place: Place) -> Answer:
    """Return fal's response when it fails with this status at this place."""
    if status == 404 and place == "status":  # noqa: PLR2004 - HTTP's own number
        return said(404, {"status": "NOT_FOUND"}, request_id)
    if status == 404 and place == "result":  # noqa: PLR2004 - HTTP's own number
        return said(404, {"detail": "Request not found"}, request_id)
    if status == 422:  # noqa: PLR2004 - HTTP's own number
        issue = {"loc": ["body"], "msg": "Invalid request", "type": "value_error", "input": {}}
        return said(422, {"detail": [issue]}, request_id, {"x-fal-billable-units": "0"})
    return platform(status, request_id)


def model_status(outcome: Outcome) -> int | None:
    """Return the status of an outcome that is a model error, else None."""
    return _MODEL[outcome][0] if outcome in _MODEL else None


def model(record: Record) -> Answer:
    """Return the model error that a request ends with."""
    outcome = record.behaviour.outcome
    status, place, words = _MODEL[outcome]
    arguments = record.arguments or {}
    issue = {
        "loc": place,
        "msg": words,
        "type": outcome,
        "url": f"https://docs.fal.ai/errors#{outcome}",
        "input": arguments.get(place[-1], arguments),
    }
    # A retry may help against errors of the partner or the machine, not against a 422.
    headers = {"x-fal-needs-retry": "0" if status == 422 else "1"}  # noqa: PLR2004 - HTTP's number
    return said(status, {"detail": [issue]}, record.id, headers)


def rejected(record: Record) -> Answer:
    """Return the refusal of an invalid input: every problem, and nothing billed."""
    headers = {"x-fal-billable-units": "0", "x-fal-needs-retry": "0"}
    return said(422, {"detail": record.issues}, record.id, headers)


def expired(record: Record) -> Answer:
    """Return the refusal of a request that did not start within the caller's time limit."""
    answer = platform(504, record.id)
    headers = {**answer.headers, "x-fal-request-timeout-type": "user"}
    return msgspec.structs.replace(answer, headers=headers)

"""Classification of fal's replies: accepted, refused, delivered, or of unknown outcome."""

import re
from collections.abc import Iterable
from typing import Any

from falgate.core.faults import refusal
from falgate.fal.http import ExchangeFailed, Reply, Unusable, decoded
from falgate.fal.replies import (
    Accepted,
    Delivered,
    Failed,
    FalAnswer,
    Lost,
    Rejected,
    Submission,
    Unsent,
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_PASSED = (
    "x-fal-error-type",
    "x-fal-needs-retry",
    "x-fal-retryable",
    "x-fal-request-timeout-type",
)
_OK, _BAD_REQUEST, _UNPROCESSABLE, _SERVER_ERROR = 200, 400, 422, 500
_KNOWN = frozenset({200, 202})
_WAITING = frozenset({408, 499})
"""Answers to a submit after which fal may still have it: an intermediary gave up waiting."""
_PROXY_SIGN_IN = 407
"""Never fal's own: a proxy demands credentials and passed nothing on."""
_PASSING = frozenset({401, 403, _PROXY_SIGN_IN, 408, 429})
"""Answers to a poll that concern the poll, not the job: our key, our balance, our rate."""
_ABOUT_THE_LOOK = _PASSING | {404}
_TOLD_4XX = re.compile(r"status code: 4\d\d")


def of_failure(error: ExchangeFailed | Unusable) -> Unsent | Lost:
    """Classify a submit that got no answer, or an unusable one."""
    if isinstance(error, ExchangeFailed) and not error.left:
        return Unsent(str(error))
    return Lost(str(error))


def said(reply: Reply, about: str = "", hidden: Iterable[str] = ()) -> str:
    """Describe an error reply for operators: its status and fal's message.

    fal's messages about an input are a list that may quote the input, so they are left out.
    """
    body = decoded(reply.body)
    found = body if isinstance(body, dict) else {}
    # The queue has the message in `detail`, the platform API in `error.message`.
    error = found.get("error")
    detail = error.get("message") if isinstance(error, dict) else found.get("detail")
    words = detail if isinstance(detail, str) else ""
    return refusal(reply.status, words, hidden, about=about)


def of_submit(reply: Reply, hidden: Iterable[str] = ()) -> Submission:
    """Classify a reply to a submit. A 5xx may come from a proxy after fal has accepted.

    Args:
        reply: fal's reply.
        hidden: Texts that must not appear in messages for operators.
    """
    if reply.status == _PROXY_SIGN_IN:
        return Unsent("a proxy demands authentication (407)")
    if _BAD_REQUEST <= reply.status < _SERVER_ERROR and reply.status not in _WAITING:
        return Rejected(answer(reply), said(reply, hidden=hidden))
    if reply.status != _OK:
        return Lost(said(reply, " to the submit", hidden))
    try:
        body = reply.json()
    except Unusable as error:
        return Lost(str(error))
    request_id = body.get("request_id") if isinstance(body, dict) else None
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        return Lost("fal answered without a request id")
    return Accepted(request_id)


def of_status(reply: Reply) -> dict[str, Any] | None:
    """Return a request's status object; None if the reply is a temporary failure of the poll.

    Raises:
        Unusable: fal does not know the request, or the reply is invalid.
    """
    if reply.status in _PASSING or reply.status >= _SERVER_ERROR:
        return None
    body = reply.json() if reply.status in _KNOWN else None
    if not isinstance(body, dict) or not isinstance(body.get("status"), str):
        raise Unusable(f"fal answered {reply.status} without a status")
    return body


def of_result(reply: Reply, status: dict[str, Any]) -> Delivered | Failed | None:
    """Classify a reply to a poll for the result; None if it is a temporary failure of the poll.

    Args:
        reply: The answer to `GET .../requests/{id}`.
        status: The status object that said COMPLETED.

    Raises:
        Unusable: fal does not know the request, or the reply is invalid.
    """
    units = reply.headers.get("x-fal-billable-units")
    if reply.status == _OK:
        return Delivered(reply.json(), units)
    if reply.status >= _BAD_REQUEST and _is_the_jobs(reply, status):
        return Failed(answer(reply), units)
    if reply.status in _PASSING or reply.status >= _SERVER_ERROR:
        return None
    raise Unusable(f"fal answered {reply.status} for a result")


def _is_the_jobs(reply: Reply, status: dict[str, Any]) -> bool:
    """Return whether an error reply is the outcome of the job, and not of the poll."""
    ended_badly = bool(status.get("error") or status.get("error_type"))
    if reply.status >= _SERVER_ERROR:
        # fal bills no job that ends with a 5xx, so this releases the whole hold. But fal's gateway
        # or a proxy may fail while a finished, billed job is polled. So the reply counts only if it
        # carries fal's request id and the status reported a failure other than a 4xx, which fal
        # may bill.
        fals = "x-fal-request-id" in reply.headers
        return fals and ended_badly and not _TOLD_4XX.search(str(status.get("error")))
    if reply.status == _UNPROCESSABLE or "x-fal-billable-units" in reply.headers:
        return True
    return ended_badly and reply.status not in _ABOUT_THE_LOOK


def answer(reply: Reply) -> FalAnswer:
    """Return an error reply as it may be passed on: body, and headers that concern the caller."""
    body = decoded(reply.body)
    if not isinstance(body, dict):
        body = {"detail": f"fal answered {reply.status}"}
    passed = {name: reply.headers[name] for name in _PASSED if name in reply.headers}
    return FalAnswer(reply.status, body, passed)

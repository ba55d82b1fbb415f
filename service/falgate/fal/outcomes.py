"""From fal's replies to endings: what was taken, refused, delivered, or is not known."""

import re
from collections.abc import Iterable
from typing import Any

from falgate.core.faults import refusal
from falgate.fal.http import ExchangeFailed, Reply, Unusable
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
"""In answer to a submit: what stands before fal was not waited for, or would not wait."""
_PROXY_SIGN_IN = 407
"""Never fal's: a proxy let nothing pass."""
_PASSING = frozenset({401, 403, _PROXY_SIGN_IN, 408, 429})
"""In answer to a look these speak of the look: our key, our credit, our pace."""
_ABOUT_THE_LOOK = _PASSING | {404}
_TOLD_4XX = re.compile(r"status code: 4\d\d")


def of_failure(error: ExchangeFailed | Unusable) -> Unsent | Lost:
    """What a submit without an answer, or with one that is none, may have done."""
    if isinstance(error, ExchangeFailed) and not error.left:
        return Unsent(str(error))
    return Lost(str(error))


def said(reply: Reply, about: str = "", hidden: Iterable[str] = ()) -> str:
    """A refusal in a line for operators: its status, and fal's words for it.

    Its words about an input are a list, and may quote it: these are not told.
    """
    try:
        body = reply.json()
    except Unusable:
        body = None
    found = body if isinstance(body, dict) else {}
    # The queue says it by `detail`, the platform by an error with a message.
    error = found.get("error")
    detail = error.get("message") if isinstance(error, dict) else found.get("detail")
    words = detail if isinstance(detail, str) else ""
    return refusal(reply.status, words, hidden, about=about)


def of_submit(reply: Reply, hidden: Iterable[str] = ()) -> Submission:
    """What a reply to a submit says. A 5xx may come from a proxy after fal has accepted.

    Args:
        reply: To the submit.
        hidden: What no line for operators may have of it.
    """
    if reply.status == _PROXY_SIGN_IN:
        return Unsent("a proxy wants to be signed in to (407)")
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
    """The status object of a request; None when the reply speaks of the look, which may pass.

    Raises:
        Unusable: fal does not know the request, or makes no sense.
    """
    if reply.status in _PASSING or reply.status >= _SERVER_ERROR:
        return None
    body = reply.json() if reply.status in _KNOWN else None
    if not isinstance(body, dict) or not isinstance(body.get("status"), str):
        raise Unusable(f"fal answered {reply.status} without a status")
    return body


def of_result(reply: Reply, status: dict[str, Any]) -> Delivered | Failed | None:
    """What a reply to a look at the result says; None when it speaks of the look, which may pass.

    Args:
        reply: To `GET .../requests/{id}`.
        status: The status object that said COMPLETED.

    Raises:
        Unusable: fal does not know the request, or makes no sense.
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
    """Whether a refusal is how the job has ended, and not how the look at it did."""
    ended_badly = bool(status.get("error") or status.get("error_type"))
    if reply.status >= _SERVER_ERROR:
        # It gives the whole hold back, and whatever stands between here and the job may fail by
        # itself: it must be fal's, of a job that failed, and not with a 4xx, which may be billed.
        fals = "x-fal-request-id" in reply.headers
        return fals and ended_badly and not _TOLD_4XX.search(str(status.get("error")))
    if reply.status == _UNPROCESSABLE or "x-fal-billable-units" in reply.headers:
        return True
    return ended_badly and reply.status not in _ABOUT_THE_LOOK


def answer(reply: Reply) -> FalAnswer:
    """A refusal as it may be passed on: fal's body, and its headers that concern the caller."""
    try:
        body = reply.json()
    except Unusable:
        body = None
    if not isinstance(body, dict):
        body = {"detail": f"fal answered {reply.status}"}
    passed = {name: reply.headers[name] for name in _PASSED if name in reply.headers}
    return FalAnswer(reply.status, body, passed)

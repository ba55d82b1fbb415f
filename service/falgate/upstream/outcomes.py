"""From fal's replies to endings: what was taken, refused, delivered, or is not known."""

import re
from typing import Any

import aiohttp
import httpx

from falgate.core.job import Answer
from falgate.core.outcome import Accepted, Delivered, Failed, Lost, Rejected, Submission, Unsent
from falgate.upstream.exchange import Reply, Unusable

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_PASSED = (
    "x-fal-error-type",
    "x-fal-needs-retry",
    "x-fal-retryable",
    "x-fal-request-timeout-type",
)
_OK, _BAD_REQUEST, _UNPROCESSABLE, _SERVER_ERROR = 200, 400, 422, 500
_ABOUT_THE_LOOK = frozenset({401, 403, 404, 408, 429})
"""In answer to a look these speak of the look: our key, our pace, not of what became of the job."""


def of_failure(error: Exception) -> Unsent | Lost:
    """What a submit that failed with `error` may have done.

    httpx's class does not tell: httpx-aiohttp maps a connection that broke after the request had
    left to `ConnectTimeout`. aiohttp's own class does: these two are raised while connecting only.
    """
    cause = error.__cause__
    if isinstance(error, httpx.HTTPError) and isinstance(
        cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError
    ):
        return Unsent(type(cause).__name__)
    return Lost(type(cause or error).__name__)


def of_submit(reply: Reply) -> Submission:
    """What a reply to a submit says. A 5xx may come from a proxy after fal has accepted."""
    if _BAD_REQUEST <= reply.status < _SERVER_ERROR:
        return Rejected(answer(reply))
    if reply.status != _OK:
        return Lost(f"fal answered {reply.status} to the submit")
    try:
        body = reply.json()
    except Unusable as error:
        return Lost(str(error))
    request_id = body.get("request_id") if isinstance(body, dict) else None
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        return Lost("fal answered without a request id")
    return Accepted(request_id)


def of_result(reply: Reply, status: dict[str, Any]) -> Delivered | Failed | None:
    """What a reply to a look at the result says; None when it says nothing about the job.

    Args:
        reply: To `GET .../requests/{id}`.
        status: The status object that said COMPLETED.

    Raises:
        Unusable: A 200 that is no JSON.
    """
    units = reply.headers.get("x-fal-billable-units")
    if reply.status == _OK:
        return Delivered(reply.json(), units)
    told = "error" in status or "error_type" in status
    own = told or reply.status == _UNPROCESSABLE or "x-fal-request-id" in reply.headers
    if reply.status < _BAD_REQUEST or not own or (reply.status in _ABOUT_THE_LOOK and not told):
        return None
    return Failed(answer(reply), units)


def answer(reply: Reply) -> Answer:
    """A refusal as it may be passed on: fal's body, and its headers that concern the caller."""
    try:
        body = reply.json()
    except Unusable:
        body = {"detail": f"fal answered {reply.status}"}
    passed = {name: reply.headers[name] for name in _PASSED if name in reply.headers}
    return Answer(reply.status, body, passed)

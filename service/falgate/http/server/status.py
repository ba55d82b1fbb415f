"""Status lines, and the response to a request that is not served."""

from collections.abc import Iterable
from http import HTTPStatus

from falgate.http.server.framing import Field, Refused

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus
}


def refusal(refused: Refused, date: bytes, headers: Iterable[Field]) -> bytes:
    """Build the response to a request that is not served; `date` is the Date header."""
    body = b'{"detail":"%b"}' % refused.detail.encode()
    lines = (
        STATUS_LINES[refused.status],
        b"content-type: application/json",
        # A browser may have sent it: the text is shown as what it is, and not kept for later.
        b"x-content-type-options: nosniff",
        b"cache-control: no-store",
        b"content-length: %d" % len(body),
        *(name + b": " + value for name, value in headers),
        b"connection: close",
        date,
        b"",
        body,
    )
    return b"\r\n".join(lines)

"""An HTTP response as an ASGI application: status, headers and body."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send


class Answer(msgspec.Struct, frozen=True):
    """A complete HTTP response.

    Attributes:
        status: HTTP status.
        body: The bytes of the body.
        headers: By lower-case name, including the content type.
    """

    status: int
    body: bytes
    headers: dict[str, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        del scope, receive
        await begin(send, self)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


async def begin(send: Send, answer: Answer) -> None:
    """Send the status and headers, with the length of the complete body."""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})


def said(
    status: int, value: Any, request_id: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """Build a JSON response with the request id header that every response of fal has."""
    return Answer(
        status,
        msgspec.json.encode(value),
        {
            "content-type": "application/json",
            "x-fal-request-id": request_id,
            **({name.lower(): text for name, text in headers.items()} if headers else {}),
        },
    )

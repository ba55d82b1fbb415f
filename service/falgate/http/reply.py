"""Complete responses sent by the ASGI layers in front of the framework."""

from collections.abc import Iterable

from litestar.types import Send

Headers = Iterable[tuple[bytes, bytes]]
"""In ASGI's form: lower-case names."""

_AS_IT_IS = (b"x-content-type-options", b"nosniff")


async def reply(send: Send, status: int, body: bytes = b"", headers: Headers = ()) -> None:
    """Send a response; its body is JSON unless the headers say otherwise."""
    headers = list(headers)
    described = [(b"content-length", str(len(body)).encode()), _AS_IT_IS] if body else []
    if body and not any(name == b"content-type" for name, _ in headers):
        described.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": [*described, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})

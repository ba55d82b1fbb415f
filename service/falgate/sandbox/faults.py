"""Faults: damages a response on its way out, so that a client sees a broken fal."""

import asyncio
from collections.abc import AsyncIterator, Callable

from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec.structs import replace

from falgate.sandbox.answer import Answer, begin
from falgate.sandbox.behaviour import Behaviour, Fault, Place
from falgate.sandbox.refusals import failing

FOREIGN = "https://files.elsewhere.invalid"
"""Origin that the fault "foreign" puts into a response's URLs; the name never resolves."""

_JUNK = b"<html><body>It works!</body></html>"
_NGINX = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_DRIP_S = 0.1
_CHUNK = bytes(1 << 16)


def spoilt(answer: Answer, behaviour: Behaviour, place: Place, base_url: str) -> ASGIApp:
    """Return the response with the configured fault applied; `base_url` is the base of its URLs."""
    if behaviour.fault == "error":
        request_id = answer.headers["x-fal-request-id"]
        error = failing(behaviour.status or 500, request_id, place)
        return error if behaviour.body is None else replace(error, body=behaviour.body.encode())
    if behaviour.fault == "ingress":
        # A proxy in front of fal: no request id, and the proxy's name in the body.
        return Answer(behaviour.status or 502, _NGINX, {"content-type": "text/html"})
    if behaviour.fault == "junk":
        return replace(answer, body=_JUNK if behaviour.body is None else behaviour.body.encode())
    if behaviour.fault == "foreign":
        return replace(answer, body=answer.body.replace(base_url.encode(), FOREIGN.encode()))
    assert behaviour.fault is not None, "called only when a fault is due"
    return _CHANGES[behaviour.fault](answer)


def _mistyped(answer: Answer) -> ASGIApp:
    return replace(answer, headers={**answer.headers, "content-type": "text/html"})


def _dropped(answer: Answer) -> ASGIApp:
    return _cut(answer, 0)


def _truncated(answer: Answer) -> ASGIApp:
    return _cut(answer, len(answer.body) // 2)


def _cut(answer: Answer, size_bytes: int) -> ASGIApp:
    async def send_part(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await begin(send, answer)
        part = answer.body[:size_bytes]
        # With more announced than is sent, the server closes the connection.
        await send({"type": "http.response.body", "body": part, "more_body": True})

    return send_part


def _slow(answer: Answer) -> ASGIApp:
    async def drip() -> AsyncIterator[bytes]:
        for index in range(len(answer.body)):
            yield answer.body[index : index + 1]
            await asyncio.sleep(_DRIP_S)

    headers = {**answer.headers, "content-length": str(len(answer.body))}
    return ASGIStreamingResponse(iterator=drip(), status_code=answer.status, headers=headers)


def _huge(answer: Answer) -> ASGIApp:
    async def flood() -> AsyncIterator[bytes]:
        yield answer.body
        while True:
            yield _CHUNK
            await asyncio.sleep(0)

    return ASGIStreamingResponse(
        iterator=flood(), status_code=answer.status, headers=answer.headers
    )


def _hangs(answer: Answer) -> ASGIApp:
    del answer
    return hang


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    """Send nothing until the client disconnects."""
    del scope, send
    while (await receive())["type"] != "http.disconnect":
        pass


_CHANGES: dict[Fault, Callable[[Answer], ASGIApp]] = {
    "mistyped": _mistyped,
    "dropped": _dropped,
    "truncated": _truncated,
    "slow": _slow,
    "huge": _huge,
    "hangs": _hangs,
}

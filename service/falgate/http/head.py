"""Request heads: limits on their parts, and HEAD requests answered through GET routes."""

from http import HTTPStatus

import msgspec
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from falgate.admin.api.problems import MEDIA_TYPE, PREFIX, ProblemBody
from falgate.core.bounds import CONSOLE_HEADERS, HEADERS, PATH_MAX, QUERY_MAX
from falgate.core.errors import ModelUnknown, Refusal
from falgate.http.request_errors import HeaderTooLong, QueryTooLong

_MOST = {name.encode(): bound.most for name, bound in HEADERS.items()}
_MOST_OF_CONSOLE = _MOST | {name.encode(): bound.most for name, bound in CONSOLE_HEADERS.items()}
_CONSOLE = "/console"
_OWN_HEAD = "/pictures/"
"""This route handles HEAD itself: a GET would read the whole picture."""


def seen(scope: HTTPScope) -> HTTPScope:
    """Return the request with only the headers that falgate reads.

    Raises:
        Refusal: The path, the query or a header is too long.
    """
    if len(scope["path"]) > PATH_MAX:
        raise ModelUnknown(scope["path"])  # no route has such a long path
    if len(scope["query_string"]) > QUERY_MAX:
        raise QueryTooLong(QUERY_MAX)
    allowed = _MOST_OF_CONSOLE if scope["path"].startswith(_CONSOLE) else _MOST
    lengths: dict[bytes, int] = {}
    headers = []
    for name, value in scope["headers"]:
        if (most := allowed.get(name)) is None:
            continue
        lengths[name] = length = lengths.get(name, 0) + len(value)
        if length > most:
            raise HeaderTooLong(name.decode(), most)
        headers.append((name, value))
    return {**scope, "headers": headers}


def told(refusal: Refusal, path: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return a refusal's body and headers, in the format of the routes at that path."""
    headers = [(name.lower().encode(), text.encode()) for name, text in refusal.headers().items()]
    if not path.startswith(PREFIX):
        return msgspec.json.encode(refusal.body()), headers
    title = HTTPStatus(refusal.status).phrase
    body = ProblemBody(title=title, status=refusal.status, detail=str(refusal))
    return msgspec.json.encode(body), [*headers, (b"content-type", MEDIA_TYPE.encode())]


class HeadAsGet:
    """An ASGI application that answers HEAD wherever the wrapped application answers GET."""

    def __init__(self, app: ASGIApp) -> None:
        """Send requests to `app` as GET and omit the bodies."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if (
            scope["type"] != ScopeType.HTTP
            or scope["method"] != "HEAD"
            or scope["path"].startswith(_OWN_HEAD)
        ):
            await self._app(scope, receive, send)
            return

        over = False

        async def received() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            return {"type": "http.disconnect"} if over else await receive()

        async def head(message: Message) -> None:
            nonlocal over
            if message["type"] == "http.response.start":
                over = True  # A streaming route sees a disconnect and stops.
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, received, head)

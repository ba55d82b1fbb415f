"""A request's head: held to its bounds, and a HEAD answered as the GET that it stands for."""

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
from falgate.core.bounds import HEADERS, PATH_MAX, QUERY_MAX
from falgate.core.errors import ModelUnknown, Refusal
from falgate.http.request_errors import HeaderTooLong, QueryTooLong

_MOST = {name.encode(): bound.most for name, bound in HEADERS.items()}
_OWN_HEAD = "/pictures/"
"""Here a HEAD is its own request: a GET would read the picture."""


def seen(scope: HTTPScope) -> HTTPScope:
    """The request with those headers alone that are on the list.

    Raises:
        Refusal: It is longer than it may be.
    """
    if len(scope["path"]) > PATH_MAX:
        raise ModelUnknown(scope["path"])  # nor is anything else so called
    if len(scope["query_string"]) > QUERY_MAX:
        raise QueryTooLong(QUERY_MAX)
    lengths: dict[bytes, int] = {}
    headers = []
    for name, value in scope["headers"]:
        if (most := _MOST.get(name)) is None:
            continue
        lengths[name] = length = lengths.get(name, 0) + len(value)
        if length > most:
            raise HeaderTooLong(name.decode(), most)
        headers.append((name, value))
    return {**scope, "headers": headers}


def told(refusal: Refusal, path: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A refusal's body and headers, as the routes of that path have them."""
    headers = [(name.lower().encode(), text.encode()) for name, text in refusal.headers().items()]
    if not path.startswith(PREFIX):
        return msgspec.json.encode(refusal.body()), headers
    title = HTTPStatus(refusal.status).phrase
    body = ProblemBody(title=title, status=refusal.status, detail=str(refusal))
    return msgspec.json.encode(body), [*headers, (b"content-type", MEDIA_TYPE.encode())]


class HeadAsGet:
    """An ASGI application that answers HEAD for another one, wherever that answers GET."""

    def __init__(self, app: ASGIApp) -> None:
        """Ask `app`, and leave its body out."""
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
                over = True  # Whoever streams learns so that nobody listens.
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, received, head)

"""The edge: an ASGI layer that every request and response passes, outside the framework.

It adds a request id and CORS headers to every response, enforces limits on heads and bodies, counts
requests, and answers in fal's format even when the framework fails.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection

import structlog
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
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

from falgate.core.errors import Refusal
from falgate.core.events import Refused
from falgate.core.refused import about, error_type, reason
from falgate.http import head
from falgate.http.body_limits import BodyLimits
from falgate.http.cors import Cors, Preflights
from falgate.http.fal_openapi import PATH as MODEL_OPENAPI
from falgate.http.proxy import is_proxy
from falgate.http.reply import reply
from falgate.http.request_errors import BodyEncoded, BodyTooLarge, BodyTooSlow
from falgate.http.request_info import KEY, MODEL, REFUSAL, REQUEST_ID

_LOG = structlog.get_logger()
_FAILED = b'{"detail":"Internal Server Error"}'
_ROUTES = frozenset({
    "queue", "pictures", "rest", "cdn", "uploads", "inputs",
    "healthz", "readyz", "metrics", "docs", "v1", "admin", "console", "hooks",
})  # fmt: skip
_ASKED = frozenset({"run", "queue", "proxy", "other"})
"""Routes on which a POST asks for pictures."""
_REFUSED, _SERVER_ERROR = 400, 500


def refused_at_the_edge(
    requested: Callable[[str, int], None], status: int
) -> list[tuple[bytes, bytes]]:
    """Count a request that the server itself refused; return the headers of the response."""
    requested("edge", status)
    return [(b"x-fal-request-id", str(uuid.uuid4()).encode())]


class Edge:
    """The outermost ASGI application, wrapped around another one."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        models: Collection[str],
        requested: Callable[[str, int], None],
        refused: Callable[[Refused], None],
        bodies: BodyLimits,
        cors: Cors | None = None,
    ) -> None:
        """Wrap `app`; `requested` receives every response's status, `refused` those with errors."""
        self._app = Preflights(app, cors) if cors else app
        self._cors = cors
        self._models = models
        self._requested = requested
        self._refused = refused
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id, began_s = str(uuid.uuid4()), time.perf_counter()
        scope.setdefault("state", {})[REQUEST_ID] = request_id
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # A call about a queued request is answered under that request's id.
                named = (b"x-fal-request-id", scope["state"][REQUEST_ID].encode())
                headers = [*message["headers"], named]
                if self._cors:
                    headers += self._cors.answered(scope, headers)
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(head.seen(scope), self._bounded(scope, receive), named)
        except Refusal as refusal:  # refused by its head; others are handled by their route
            scope["state"][REFUSAL] = refusal
            await reply(named, refusal.status, *head.told(refusal, scope["path"]))
        except Exception as error:
            _LOG.exception("request.failed", request=request_id, error=type(error).__name__)
            if status:
                raise  # The response has begun, so the server has to cut the connection.
            await reply(named, _SERVER_ERROR, _FAILED)
        finally:
            self._note(scope, request_id, status, time.perf_counter() - began_s)

    def _bounded(self, scope: HTTPScope, receive: Receive) -> Receive:
        bytes_max, time_s = self._bodies.of(scope)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        # Repeated Content-Encoding headers form one list of codings.
        lines = [value for name, value in scope["headers"] if name == b"content-encoding"]
        coding = b", ".join(lines).decode("latin-1")
        received, deadline_s = 0, 0.0

        async def bounded() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal received, deadline_s
            if declared.isdigit() and int(declared) > bytes_max:
                raise BodyTooLarge(bytes_max)
            if any(each.strip().lower() not in {"", "identity"} for each in coding.split(",")):
                raise BodyEncoded(coding)
            loop = asyncio.get_running_loop()
            deadline_s = deadline_s or loop.time() + time_s
            try:
                async with asyncio.timeout_at(deadline_s):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(time_s) from None
            if message["type"] == "http.request":
                received += len(message["body"])
                if received > bytes_max:
                    raise BodyTooLarge(bytes_max)
                if not message["more_body"]:
                    # From here on only a disconnect can come, which has no deadline.
                    deadline_s = float("inf")
            elif deadline_s < float("inf"):
                raise ClientException("The caller disconnected before sending its whole body")
            return message

        return bounded

    def _note(self, scope: HTTPScope, request_id: str, status: int, took_s: float) -> None:
        path = scope["path"]
        route = self._route(path)
        self._requested(route, status)
        if status >= _REFUSED:
            key, refusal = scope["state"].get(KEY), scope["state"].get(REFUSAL)
            self._refused(
                Refused(
                    request_id=request_id,
                    route=route,
                    status=status,
                    team=key.team if key else "",
                    app=key.app if key else "",
                    key=key.id if key else "",
                    reason=reason(refusal) if refusal else "",
                    error_type=error_type(refusal) if refusal else None,
                    about=about(refusal) if refusal else {},
                    asked=route in _ASKED and scope["method"] == "POST",
                    model=scope["state"].get(MODEL) or self._named(path),
                    job=refusal.job if refusal else "",
                    leads=refusal.leads if refusal else False,
                    charged=refusal.charged if refusal else 0,
                    took_s=took_s,
                )
            )

    def _route(self, path: str) -> str:
        """Return the request's route as a metric label, one of a closed set."""
        first = path.strip("/").partition("/")[0]
        if not first:
            return "index"
        if first in _ROUTES:
            return first
        if is_proxy(path):
            return "proxy"
        if path.removesuffix("/") == MODEL_OPENAPI:
            return "openapi"
        return "run" if self._named(path) else "other"

    def _named(self, path: str) -> str:
        """Return the endpoint that a path names; "" if it names none."""
        first, _, rest = path.strip("/").partition("/")
        endpoint = rest if first in {"run", "queue"} else path.strip("/")
        return endpoint if endpoint in self._models else ""

"""What operators and their machines ask for, and a listener of their own for that.

Where the apps' listener is open to many, metrics name teams and their money, and the administration
is one key away. With a listener apart, the apps' one has no such route at all.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.http.reply import reply

PATHS = frozenset({"admin", "docs", "metrics", "readyz"})
"""The first segments of the paths that are the operators'."""

_BOTH = frozenset({"", "healthz"})
_NOT_FOUND = 404
_BODY = b'{"detail":"Not Found"}'


class Apart:
    """An application that answers only the operators' paths of another one, or none of them."""

    def __init__(self, app: ASGIApp, *, operators: bool) -> None:
        """Let through what is the operators', or what is the apps'."""
        self._app = app
        self._operators = operators

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say that there is nothing."""
        if scope["type"] == ScopeType.HTTP:
            first = scope["path"].strip("/").partition("/")[0]
            if first not in _BOTH and (first in PATHS) != self._operators:
                await reply(send, _NOT_FOUND, _BODY)
                return
        await self._app(scope, receive, send)

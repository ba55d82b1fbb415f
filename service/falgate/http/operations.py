"""Splits the operators' routes from the apps' routes when they have separate listeners.

On an open listener, metrics would reveal teams and their spending, and anybody could try admin
keys. With a separate operators' listener, the apps' listener does not have these routes at all.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.http.reply import reply

PATHS = frozenset({"admin", "console", "docs", "metrics", "readyz"})
"""First path segments of the operators' routes."""

_BOTH = frozenset({"", "healthz"})
_NOT_FOUND = 404
_BODY = b'{"detail":"Not Found"}'


class Apart:
    """An application that serves either only the operators' paths of another one, or all others."""

    def __init__(self, app: ASGIApp, *, operators: bool) -> None:
        """Serve the operators' paths of `app` if `operators`, else the apps' paths."""
        self._app = app
        self._operators = operators

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or answer 404."""
        if scope["type"] == ScopeType.HTTP:
            first = first_segment(scope["path"])
            if first not in _BOTH and (first in PATHS) != self._operators:
                await reply(send, _NOT_FOUND, _BODY)
                return
        await self._app(scope, receive, send)


def first_segment(path: str) -> str:
    """Return what stands before the second slash of a path: "admin" of /admin/v1."""
    return path.strip("/").partition("/")[0]

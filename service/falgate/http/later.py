"""Routes that are put together when they are first asked for.

Most instances are never asked by an operator, and the administration has more routes than the apps
and the documentation: they would take half of a start.
"""

import asyncio
from collections.abc import Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.http.operations import first_segment

_LATER = frozenset({"admin", "docs"})


class Later:
    """An application whose operators' routes are another one, which is built when it is needed."""

    def __init__(self, app: ASGIApp, build: Callable[[], ASGIApp]) -> None:
        """Serve /admin and /docs by what `build` returns, and all other paths by `app`."""
        self._app = app
        self._build = build
        self._built: ASGIApp | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        app = await self._operators() if first_segment(scope["path"]) in _LATER else self._app
        await app(scope, receive, send)

    async def _operators(self) -> ASGIApp:
        async with self._building:
            if self._built is None:
                # In a thread: callers of the apps' routes do not wait for it.
                self._built = await asyncio.to_thread(self._build)
            return self._built

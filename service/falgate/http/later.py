"""Routes that are put together when they are first asked for.

Most instances are never asked by an operator, and the administration has more routes than the apps
and the documentation: they would take half of a start.
"""

import asyncio
from collections.abc import Callable, Mapping

from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.http.operations import first_segment


class Later:
    """An application whose operators' routes are others, which are built when they are needed."""

    def __init__(self, app: ASGIApp, build: Mapping[str, Callable[[], ASGIApp]]) -> None:
        """Serve paths by what `build` has for their first segment, and all others by `app`."""
        self._app = app
        self._build = build
        self._built: dict[str, ASGIApp] = {}
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        segment = first_segment(scope["path"])
        app = await self._operators(segment) if segment in self._build else self._app
        await app(scope, receive, send)

    async def _operators(self, segment: str) -> ASGIApp:
        async with self._building:
            if segment not in self._built:
                # In a thread: callers of the apps' routes do not wait for it.
                self._built[segment] = await asyncio.to_thread(self._build[segment])
            return self._built[segment]

"""fal's proxy protocol: its JavaScript client sends every call to one URL, its target in a header.

The target is read and answered by our own routes, under the caller's own key. It is never fetched.
"""

import re
from collections.abc import Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from falgate.http.reply import reply

PATH = "/api/fal/proxy"

_HEADER = b"x-fal-target-url"
_ROOTS = {b"fal.run": "/run", b"queue.fal.run": "/queue"}
_TARGET = re.compile(
    rb"""
    https://(fal\.run|queue\.fal\.run)(?::443)?
    ((?:/(?!\.{1,2}(?:[/?]|\Z))[\w.~+-]+)+/?)  # segments, none of them a dot or two
    (?:\?([!"$-~]*))?                          # printable, and no fragment
    """,
    re.VERBOSE,
)
"""Written as fal's clients write it: an address that anybody could read otherwise is none."""

_DROPPED = frozenset({_HEADER, b"cache-control", b"pragma"})
_METHODS = frozenset({"GET", "POST", "PUT"})
_ALLOW = (b"allow", b"GET, OPTIONS, POST, PUT")
_PROXIED = "falgate_proxied"


class Proxy:
    """An ASGI application that adds the proxy route to another one."""

    def __init__(self, app: ASGIApp) -> None:
        """Answer targets from `app`, and everything that is not for the proxy route."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != ScopeType.HTTP or not is_proxy(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await reply(send, 204, headers=[_ALLOW])
        elif scope["method"] not in _METHODS:
            await reply(send, 405, b'{"detail":"Method Not Allowed"}', [_ALLOW])
        elif target := _inside(scope):
            await self._app(target, receive, send)
        else:
            await reply(send, 400, b'"Invalid request"')  # as fal's own proxy says it


def is_proxy(path: str) -> bool:
    """Whether a path is the proxy route's."""
    return path.removesuffix("/") == PATH


def is_proxied(scope: Scope) -> bool:
    """Whether a request came by the proxy route: its target tells run from queue, not its host."""
    return _PROXIED in scope.get("state", {})


def _inside(scope: HTTPScope) -> HTTPScope | None:
    """The request that a target stands for, or None where it stands for none of ours."""
    named = [value for name, value in scope["headers"] if name == _HEADER]
    found = _TARGET.fullmatch(named[0]) if len(named) == 1 else None
    if found is None:
        return None
    path = _ROOTS[found[1]] + found[2].decode()
    scope.setdefault("state", {})[_PROXIED] = True
    return {
        **scope,
        "path": path,
        "raw_path": path.encode(),
        "query_string": found[3] or b"",
        "headers": list(_kept(scope["headers"])),
    }


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """What the application is told: a browser with its cache off sends `no-cache` on every call."""
    for name, value in headers:
        if name not in _DROPPED and not name.startswith(b"x-falgate-"):
            yield name, value

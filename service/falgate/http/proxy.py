"""fal's proxy protocol: its JavaScript client sends every call to one URL, its target in a header.

The target is never fetched. It is parsed and routed to falgate's own routes, under the caller's
key.
"""

import re
from collections.abc import Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from falgate.http.reply import reply

PATH = "/api/fal/proxy"

_HEADER = b"x-fal-target-url"
_ROOTS = {
    b"fal.run": "/run",
    b"queue.fal.run": "/queue",
    b"rest.fal.ai": "/rest",
    b"rest.alpha.fal.ai": "/rest",
}
_TARGET = re.compile(
    rb"""
    https://(fal\.run|queue\.fal\.run|rest(?:\.alpha)?\.fal\.ai)(?::443)?
    ((?:/(?!\.{1,2}(?:[/?]|\Z))[\w.~+-]+)+/?)  # segments, none of them a dot or two
    (?:\?([!"$-~]*))?                          # printable, and no fragment
    """,
    re.VERBOSE,
)
"""Accepts what fal's clients write. Anything two URL parsers could read differently is rejected."""

_DROPPED = frozenset({_HEADER, b"cache-control", b"pragma"})
_METHODS = frozenset({"GET", "POST", "PUT"})
_ALLOW = (b"allow", b"GET, OPTIONS, POST, PUT")
_PROXIED = "falgate_proxied"


class Proxy:
    """An ASGI application that adds the proxy route to another application."""

    def __init__(self, app: ASGIApp) -> None:
        """Route proxied targets and all other requests to `app`."""
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
            await reply(send, 400, b'"Invalid request"')  # the wording of fal's own proxy


def is_proxy(path: str) -> bool:
    """Return whether a path is that of the proxy route."""
    return path.removesuffix("/") == PATH


def is_proxied(scope: Scope) -> bool:
    """Return whether a request came through the proxy route.

    Then its target, not its host, tells whether it is for fal.run or queue.fal.run.
    """
    return _PROXIED in scope.get("state", {})


def meant_path(scope: HTTPScope) -> str:
    """Return the path that a request is for, which a proxied one has in its target."""
    found = _target(scope) if is_proxy(scope["path"]) else None
    return scope["path"] if found is None else _path(found)


def _target(scope: HTTPScope) -> re.Match[bytes] | None:
    named = [value for name, value in scope["headers"] if name == _HEADER]
    return _TARGET.fullmatch(named[0]) if len(named) == 1 else None


def _path(target: re.Match[bytes]) -> str:
    return _ROOTS[target[1]] + target[2].decode()


def _inside(scope: HTTPScope) -> HTTPScope | None:
    """Return the request that a target stands for, or None if the target is invalid."""
    found = _target(scope)
    if found is None:
        return None
    path = _path(found)
    scope.setdefault("state", {})[_PROXIED] = True
    return {
        **scope,
        "path": path,
        "raw_path": path.encode(),
        "query_string": found[3] or b"",
        "headers": list(_kept(scope["headers"])),
    }


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """Yield the headers that are passed on.

    Cache directives are dropped: a browser with its cache disabled sends `no-cache` on every call.
    """
    for name, value in headers:
        if name not in _DROPPED and not name.startswith(b"x-falgate-"):
            yield name, value

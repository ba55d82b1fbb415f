"""CORS: which origins' pages may call falgate from a browser. None, unless the operator names them.

Litestar's CORSConfig is not used. It covers only the framework's responses, so errors of the edge
and of the proxy route would reach a page as network errors without a status, and it would override
the pictures' `Access-Control-Allow-Origin`. A page may send any header, such as those added by
tracing: headers that falgate does not read are dropped at the edge. Credentials (cookies) are never
allowed: an app's key comes in a header of its own.
"""

import re
from collections.abc import Collection, Iterable
from itertools import islice

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from falgate.core.bounds import NAME_MAX
from falgate.http.reply import reply

Headers = list[tuple[bytes, bytes]]

_METHODS = b"GET, POST, PUT, OPTIONS"
_SENT = (
    "authorization",
    "content-type",
    "accept",
    "cache-control",
    "idempotency-key",
    "x-fal-target-url",
    "x-fal-queue-priority",
    "x-fal-runner-hint",
    "x-fal-request-timeout",
    "x-fal-object-lifecycle-preference",
    "x-fal-object-lifecycle",
    "x-falgate-variation",
)
_NAME = re.compile(rf"[!#$%&'*+.^_`|~0-9a-z-]{{1,{NAME_MAX}}}")
"""A header name: a token as in RFC 9110."""
_MORE_MAX = 64
_READ = (
    b"x-fal-request-id",
    b"x-fal-request-timeout-type",
    b"x-falgate-cache",
    b"x-falgate-cost-usd",
    b"x-falgate-saved-usd",
    b"x-falgate-budget-remaining-usd",
    b"x-falgate-ignored",
    b"x-falgate-fields-of",
    b"cache-status",
    b"age",
    b"retry-after",
)
_KEPT_S = b"600"
_ALLOW_ORIGIN = b"access-control-allow-origin"

_OPERATORS = frozenset({"admin", "console", "hooks", "metrics"})
"""First path segments of routes that are not for apps."""


class Cors(msgspec.Struct, frozen=True):
    """Origins whose pages may read responses.

    Attributes:
        origins: As browsers write them, or "*" for all.
    """

    origins: frozenset[str]

    def allows(self, scope: HTTPScope) -> str:
        """Return the Access-Control-Allow-Origin value for a request; "" if it is not allowed."""
        origin = _named(scope["headers"], b"origin")
        if scope["path"].strip("/").partition("/")[0] in _OPERATORS or not origin:
            return ""
        if "*" in self.origins:
            return "*"
        return origin if origin in self.origins else ""

    def answered(self, scope: HTTPScope, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Return the headers to add to a response that has `headers`."""
        names = [name.lower() for name, _ in headers]
        if _ALLOW_ORIGIN in names:
            return []  # Pictures allow every origin already.
        added = [] if "*" in self.origins else [(b"vary", b"Origin")]
        if allowed := self.allows(scope):
            fals = [name for name in names if name.startswith(b"x-fal") and name not in _READ]
            added += [
                (_ALLOW_ORIGIN, allowed.encode()),
                (b"access-control-expose-headers", b", ".join((*_READ, *fals))),
            ]
        return added


def cors_of(origins: Collection[str]) -> Cors | None:
    """Return the rules for these origins; None if there are none."""
    return Cors(frozenset(origins)) if origins else None


class Preflights:
    """An ASGI application that answers CORS preflight requests for another one."""

    def __init__(self, app: ASGIApp, cors: Cors) -> None:
        """Answer by these rules, without a key: browsers send none with a preflight."""
        self._app = app
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if (
            scope["type"] != ScopeType.HTTP
            or scope["method"] != "OPTIONS"
            or not _named(scope["headers"], b"access-control-request-method")
            or not self._cors.allows(scope)
        ):
            await self._app(scope, receive, send)
            return
        # Only reading is restricted, by origin. Requested header names can be allowed freely.
        asked = _listed(scope["headers"], b"access-control-request-headers")
        names = (name.strip() for name in asked.lower().split(","))
        more = dict.fromkeys(name for name in names if name not in _SENT and _NAME.fullmatch(name))
        sent = ", ".join((*_SENT, *islice(more, _MORE_MAX)))
        headers = [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", sent.encode()),
            (b"access-control-max-age", _KEPT_S),
            (b"vary", b"Access-Control-Request-Headers"),
        ]
        await reply(send, 204, headers=headers)


def _named(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


def _listed(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    """Return a header's value; repeated headers are joined."""
    return ",".join(value.decode("latin-1") for name, value in headers if name == wanted)

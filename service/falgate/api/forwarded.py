"""What a trusted proxy says of the request that it hands on: scheme, host and prefix.

Who is trusted is decided by the connection's own peer, so this stands in front of whatever replaces
that by the caller's address.
"""

import ipaddress
import re
from collections.abc import Iterable

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
"""A Host header: an IPv6 address in brackets or a name, then perhaps a port."""

_PREFIX = re.compile(r"((?:/(?!\.{1,2}(?:/|\Z))[\w.~-]+)*)/?", re.ASCII)
"""A path of plain segments, none of them a dot or two."""

_FORWARDED = "falgate_forwarded"


class Forwarded(msgspec.Struct, frozen=True):
    """How a caller addressed the proxy; "" is what the proxy did not say, or not in a clean form.

    Attributes:
        scheme: "http" or "https", the connection's own where the proxy did not say.
        host: As in a Host header.
        prefix: The path that the proxy took away from the front of the caller's, such as "/fal".
    """

    scheme: str = ""
    host: str = ""
    prefix: str = ""


_NOTHING = Forwarded()


def forwarded(scope: Scope) -> Forwarded:
    """What a trusted proxy said of this request; nothing where there was none."""
    told: Forwarded = scope.get("state", {}).get(_FORWARDED, _NOTHING)
    return told


class ForwardedHeaders:
    """An ASGI application that notes for another one what trusted proxies say."""

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        """Believe peers at these addresses or in these networks."""
        self._app = app
        self._trusted = tuple(map(ipaddress.ip_network, trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == ScopeType.HTTP and self._trusts(scope["client"]):
            scope.setdefault("state", {})[_FORWARDED] = _read(scope)
        await self._app(scope, receive, send)

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        if client is None:
            return False
        address = ipaddress.ip_address(client[0])
        return any(address in network for network in self._trusted)


def _read(scope: HTTPScope) -> Forwarded:
    """The first of several values is what the caller's own proxy said."""
    first: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        first.setdefault(name, value.decode("latin-1").partition(",")[0].strip())
    scheme = first.get(b"x-forwarded-proto", "").lower()
    host = first.get(b"x-forwarded-host", "")
    prefix = _PREFIX.fullmatch(first.get(b"x-forwarded-prefix", ""))
    return Forwarded(
        scheme=scheme if scheme in {"http", "https"} else scope["scheme"],
        host=host if _is_host(host) else "",
        prefix=prefix[1] if prefix else "",
    )


def _is_host(text: str) -> bool:
    found = HOST.fullmatch(text)
    return found is not None and (not found[1] or _is_address(found[1]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

"""What a trusted proxy says of the request that it hands on: scheme, host and prefix.

Who is trusted is decided by the connection's own peer, so this stands in front of whatever replaces
that by the caller's address.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from falgate.core.bounds import HEADERS
from falgate.core.printable import quoted
from falgate.http.firsts import Firsts

HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
"""A Host header: an IPv6 address in brackets or a name, then perhaps a port."""

_PREFIX = re.compile(r"((?:/(?!\.{1,2}(?:/|\Z))[\w.~-]+)*)/?", re.ASCII)
"""A path of plain segments, none of them a dot or two."""

_READ = frozenset({b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix", b"host"})
_FORWARDED = "falgate_forwarded"
_LOG = structlog.get_logger()


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


class Unclean:
    """Headers of trusted proxies that are not of a clean form: each is logged once, and not all."""

    def __init__(self) -> None:
        self._firsts = Firsts()

    def meet(self, name: str, value: str) -> None:
        """One came; what it would have said is not told to callers."""
        if value.strip() and self._firsts.is_new((name, value)):
            _LOG.warning(
                "forwarded.unclean",
                header=name,
                value=quoted(value),
                then="it is ignored, as if the proxy had not sent it: mend what the proxy sets",
            )


class ForwardedHeaders:
    """An ASGI application that notes for another one what trusted proxies say."""

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        """Believe peers at these addresses or in these networks."""
        self._app = app
        self._trusted = tuple(map(ipaddress.ip_network, trusted))
        self._unclean = Unclean()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == ScopeType.HTTP and self._trusts(scope["client"]):
            scope.setdefault("state", {})[_FORWARDED] = _read(scope, self._unclean)
        await self._app(scope, receive, send)

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        if client is None:
            return False
        address = ipaddress.ip_address(client[0])
        return any(address in network for network in self._trusted)


def _read(scope: HTTPScope, unclean: Unclean) -> Forwarded:
    """The first of several values is what the caller's own proxy said.

    Of prefixes all count: each proxy adds what it took away. One that keeps the caller's Host says
    by it what others say by X-Forwarded-Host, and so does one that says there what is no host.
    """
    said: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            said.setdefault(name, []).extend(value.decode("latin-1").split(","))
    prefixes = [_PREFIX.fullmatch(each.strip()) for each in said.get(b"x-forwarded-prefix", ())]
    found = Forwarded(
        scheme=_first(said, b"x-forwarded-proto", _is_scheme).lower(),
        host=_first(said, b"x-forwarded-host", _is_host),
        prefix="".join(found[1] for found in prefixes if found) if all(prefixes) else "",
    )
    for name, taken in (
        (b"x-forwarded-proto", found.scheme),
        (b"x-forwarded-host", found.host),
        (b"x-forwarded-prefix", all(prefixes)),
    ):
        if not taken and name in said:
            unclean.meet(name.decode(), ",".join(said[name]))
    return Forwarded(
        scheme=found.scheme or scope["scheme"],
        host=found.host or _first(said, b"host", _is_host),
        prefix=found.prefix,
    )


def _first(
    said: Mapping[bytes, Sequence[str]], name: bytes, is_clean: Callable[[str], bool]
) -> str:
    first = said.get(name, ("",))[0].strip()
    return first if len(first) <= HEADERS[name.decode()].most and is_clean(first) else ""


def _is_scheme(text: str) -> bool:
    return text.lower() in {"http", "https"}


def _is_host(text: str) -> bool:
    found = HOST.fullmatch(text)
    return found is not None and (not found[1] or _is_address(found[1]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

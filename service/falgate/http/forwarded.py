"""X-Forwarded headers of trusted proxies: the scheme, host and path prefix that the caller used.

A proxy is trusted by the connection's peer address, so this layer must run before the one that
replaces the peer by the caller's address.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from falgate.core.bounds import HEADERS
from falgate.core.printable import quoted
from falgate.http.firsts import FirstWarnings

HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
"""A Host header: a name or a bracketed IPv6 address, with an optional port."""

_PREFIX = re.compile(r"((?:/(?!\.{1,2}(?:/|\Z))[\w.~-]+)*)/?", re.ASCII)
"""A path of plain segments, without "." and ".."."""

_READ = frozenset({b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix", b"host"})
_FORWARDED = "falgate_forwarded"


class Forwarded(msgspec.Struct, frozen=True):
    """How a caller addressed the proxy; "" if the proxy did not say, or not in a valid form.

    Attributes:
        scheme: "http" or "https"; the connection's own if the proxy did not say.
        host: In the form of a Host header.
        prefix: The path prefix that the proxy removed, such as "/fal".
    """

    scheme: str = ""
    host: str = ""
    prefix: str = ""


_NOTHING = Forwarded()


def forwarded(scope: Scope) -> Forwarded:
    """Return what a trusted proxy said of this request; empty if there was none."""
    told: Forwarded = scope.get("state", {}).get(_FORWARDED, _NOTHING)
    return told


class TrustedProxies:
    """The proxies whose X-Forwarded headers count.

    Attributes:
        names: Their addresses or networks, as the operator wrote them.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        """Trust peers at these addresses or in these networks."""
        self.names = tuple(trusted)
        self._trusted = tuple(map(ipaddress.ip_network, self.names))
        self._unclean = FirstWarnings()

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._trusted)

    def trust(self, peer: str) -> bool:
        """Return whether a peer's address is that of one of them."""
        if not peer or not self._trusted:
            return False
        address = ipaddress.ip_address(peer)
        return any(address in network for network in self._trusted)

    def sent(self, scope: HTTPScope) -> bool:
        """Return whether one of them sent a request."""
        client = scope["client"]
        return client is not None and self.trust(client[0])

    def note(self, scope: HTTPScope) -> None:
        """Store in the scope what the proxy that sent this request says of it."""
        scope.setdefault("state", {})[_FORWARDED] = _read(scope, self._unclean)


class ForwardedHeaders:
    """An ASGI application that stores the X-Forwarded headers of trusted proxies in the scope."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        """Pass all requests on to `app`."""
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == ScopeType.HTTP and self._proxies.sent(scope):
            self._proxies.note(scope)
        await self._app(scope, receive, send)


def from_trusted(scope: Scope) -> bool:
    """Return whether the request came through a trusted proxy."""
    return _FORWARDED in scope.get("state", {})


def _read(scope: HTTPScope, unclean: FirstWarnings) -> Forwarded:
    """Parse the headers of a trusted proxy.

    Of several values the first one counts: it comes from the proxy closest to the caller. Prefixes
    are concatenated, because each proxy adds the one it removed. Without a valid X-Forwarded-Host,
    the Host header counts.
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
        whole = ",".join(said.get(name, ()))
        if not taken and whole.strip():
            unclean.log(
                "forwarded.unclean",
                (name, whole),
                header=name.decode(),
                value=quoted(whole),
                then="this header is ignored; fix the configuration of the proxy",
            )
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

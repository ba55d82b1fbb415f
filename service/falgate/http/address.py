"""falgate's own address as a caller sees it: the base of URLs in responses."""

import msgspec
from litestar.types import HTTPScope

from falgate.core.printable import quoted
from falgate.http.firsts import FirstWarnings
from falgate.http.forwarded import HOST, forwarded

LOCAL = frozenset({"localhost", "queue.localhost", "127.0.0.1", "::1"})


class Address(msgspec.Struct, frozen=True):
    """How callers reach this gateway.

    Attributes:
        public_url: Fixed by the operator, or "".
        hosts: Host names accepted from a request; callers can invent any other.
        fallback_url: Base URL if the host is not accepted.
        unknown: Logs the hosts that are not accepted: a caller may not reach the fallback URL.
    """

    public_url: str
    hosts: frozenset[str]
    fallback_url: str
    unknown: FirstWarnings = msgspec.field(default_factory=FirstWarnings)

    def base_url(self, scope: HTTPScope) -> str:
        """Return the base of URLs in a response, without a trailing slash.

        A host named by a trusted proxy needs no allow-list.
        """
        if self.public_url:
            return self.public_url.rstrip("/")
        told = forwarded(scope)
        host = asked_host(scope)
        found = HOST.fullmatch(host)
        ours = told.host or (found and (found[1] or found[2]).lower() in self.hosts)
        if not ours:
            self.unknown.log(
                "address.unknown_host",
                host,
                host=quoted(host),
                then="URLs begin with the default address: set FALGATE_PUBLIC_URL, or add the host "
                "to FALGATE_ALLOWED_HOSTS or its proxy to FALGATE_TRUSTED_PROXIES",
            )
            return self.fallback_url
        return f"{told.scheme or scope['scheme']}://{host}{told.prefix}"


def asked_host(scope: HTTPScope) -> str:
    """Return the host that the caller addressed, before any trusted proxy."""
    said = (value for name, value in scope["headers"] if name == b"host")
    return forwarded(scope).host or next(said, b"").decode("latin-1")

"""falgate's own address as a caller sees it: the base of URLs in responses."""

from typing import Any

import msgspec
import structlog
from litestar import Request

from falgate.core.printable import quoted
from falgate.http.firsts import Firsts
from falgate.http.forwarded import HOST, forwarded

_LOG = structlog.get_logger()

LOCAL = frozenset({"localhost", "queue.localhost", "127.0.0.1", "::1"})


class Strangers:
    """Logs unknown hosts that callers addressed, each once and up to a limit."""

    def __init__(self) -> None:
        self._firsts = Firsts()

    def meet(self, host: str) -> None:
        """Log an unknown host: the caller may not reach the URLs in its response."""
        if self._firsts.is_new(host):
            _LOG.warning(
                "address.unknown_host",
                host=quoted(host),
                then="URLs begin with the default address: set FALGATE_PUBLIC_URL, or add the host "
                "to FALGATE_ALLOWED_HOSTS or its proxy to FALGATE_TRUSTED_PROXIES",
            )


class Address(msgspec.Struct, frozen=True):
    """How callers reach this gateway.

    Attributes:
        public_url: Fixed by the operator, or "".
        hosts: Host names accepted from a request; callers can invent any other.
        fallback_url: Base URL if the host is not accepted.
        strangers: Logs the hosts that are not accepted.
    """

    public_url: str
    hosts: frozenset[str]
    fallback_url: str
    strangers: Strangers = msgspec.field(default_factory=Strangers)

    def base_url(self, request: Request[Any, Any, Any]) -> str:
        """Return the base of URLs in a response, without a trailing slash.

        A host named by a trusted proxy needs no allow-list.
        """
        if self.public_url:
            return self.public_url.rstrip("/")
        told = forwarded(request.scope)
        host = asked_host(request)
        found = HOST.fullmatch(host)
        ours = told.host or (found and (found[1] or found[2]).lower() in self.hosts)
        if not ours:
            self.strangers.meet(host)
            return self.fallback_url
        return f"{told.scheme or request.scope['scheme']}://{host}{told.prefix}"


def asked_host(request: Request[Any, Any, Any]) -> str:
    """Return the host that the caller addressed, before any trusted proxy."""
    return forwarded(request.scope).host or str(request.headers.get("host", ""))

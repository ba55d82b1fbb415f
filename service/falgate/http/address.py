"""The address of falgate as a caller sees it: what URLs in an answer begin with."""

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
    """Hosts that callers addressed and that are not ours: each is logged once, and not all."""

    def __init__(self) -> None:
        self._firsts = Firsts()

    def meet(self, host: str) -> None:
        """One was addressed; whoever reads its URLs may not find what is there."""
        if self._firsts.is_new(host):
            _LOG.warning(
                "address.unknown_host",
                host=quoted(host),
                then="URLs begin with the default: set FALGATE_PUBLIC_URL, or name the host in "
                "FALGATE_ALLOWED_HOSTS or its proxy in FALGATE_TRUSTED_PROXIES",
            )


class Address(msgspec.Struct, frozen=True):
    """How callers reach this gateway.

    Attributes:
        public_url: Fixed by the operator, or "".
        hosts: Host names that may be taken from a request; any other one is the caller's invention.
        fallback_url: Where neither helps.
        strangers: The hosts that were answered so, for the log.
    """

    public_url: str
    hosts: frozenset[str]
    fallback_url: str
    strangers: Strangers = msgspec.field(default_factory=Strangers)

    def base_url(self, request: Request[Any, Any, Any]) -> str:
        """What URLs in an answer to a request begin with, without a slash at the end.

        A trusted proxy knows its own name, so that needs no allow-list.
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
    """The host that the caller addressed, before a trusted proxy handed its request on."""
    return forwarded(request.scope).host or str(request.headers.get("host", ""))

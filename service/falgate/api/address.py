"""The address of falgate as a caller sees it: what picture URLs begin with."""

import re

import msgspec

LOCAL = frozenset({"localhost", "queue.localhost", "127.0.0.1", "::1"})

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
"""A Host header: an IPv6 address in brackets or a name, then perhaps a port."""


class Address(msgspec.Struct, frozen=True):
    """How callers reach this gateway.

    Attributes:
        public_url: Fixed by the operator, or "".
        hosts: Host names that may be taken from a request; any other one is the caller's invention.
        fallback_url: Where neither helps.
    """

    public_url: str
    hosts: frozenset[str]
    fallback_url: str

    def base_url(self, scheme: str, host: str) -> str:
        """What URLs in an answer to a request begin with, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        found = _HOST.fullmatch(host)
        if found and (found[1] or found[2]).lower() in self.hosts:
            return f"{scheme}://{host}"
        return self.fallback_url

"""Targets that callers name: which URLs are valid, and which addresses may be connected to."""

import ipaddress
import re
from collections.abc import Iterable

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LENGTH_MAX = 2_048
_PORT_MAX = 65_535

# Accepts only URLs that every parser reads the same way, so that the host checked here is the host
# that the HTTP client connects to.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f]*:[0-9a-f:.]+\]|{_NAME}\.?)(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>[/?#][^\s\\\x00-\x20\x7f-\xa0\ud800-\udfff]*)?",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"(?:\*\.)?{_NAME}", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)

_WORLD = ipaddress.ip_network("2000::/3")
_PASSAGES = tuple(
    map(
        ipaddress.ip_network,
        # Addresses that embed or route to another address: IETF protocols (with Teredo), 6to4 and
        # the 6to4 relays. NAT64 and IPv4-mapped addresses are outside 2000::/3 already. The last
        # network is for documentation; older Pythons do not know it.
        ("2001::/23", "2002::/16", "192.88.99.0/24", "3fff::/20"),
    )
)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where connections may go.

    Attributes:
        names: Allowed hosts; "*.x" matches every name below x.
        networks: Networks that are always allowed, even private ones.
        allow_http: Whether plain http:// is allowed.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    allow_http: bool = False

    def allows(self, host: str, address: Address) -> bool:
        """Return whether `host` may be connected to at this address."""
        return self._lists(address) or (is_public(address) and self.names_it(host))

    def reaches(self, address: Address) -> bool:
        """Return whether this address is allowed for at least some host."""
        return self._lists(address) or is_public(address)

    def names_it(self, host: str) -> bool:
        """Return whether a host is allowed at public addresses; without any rule, every host is."""
        if not self.names and not self.networks:
            return True
        name = host.lower().rstrip(".")
        above = name.split(".")[1:]
        wider = (f"*.{'.'.join(above[at:])}" for at in range(len(above)))
        return name in self.names or any(each in self.names for each in wider)

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def rules(entries: Iterable[str], *, allow_http: bool) -> Rules:
    """Parse an operator's list of host names and networks.

    Raises:
        ValueError: An entry is neither; the message quotes it.
    """
    names, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            if not _NAMED.fullmatch(entry) or _is_number(entry):
                raise ValueError(
                    f"{entry!r} is neither a host name nor a network; examples: hooks.example, "
                    "*.apps.example, 10.1.0.0/16"
                ) from None
            names.add(entry.lower())
    return Rules(names=frozenset(names), networks=tuple(networks), allow_http=allow_http)


def is_public(address: Address) -> bool:
    """Return whether an address is globally routable and does not embed or route to another one."""
    if not address.is_global or address.is_multicast or any(address in way for way in _PASSAGES):
        return False
    return address.version == 4 or address in _WORLD  # noqa: PLR2004 - of IP


def origin(url: str) -> str:
    """Return the scheme, host and port of a valid URL, safe to log; "" for any other URL."""
    found = _URL.fullmatch(url)
    return url[: len(url) - len(found["path"] or "")].lower() if found else ""


def problem(url: str, allowed: Rules) -> str:
    """Return what is wrong with a URL, as far as that can be told without a DNS lookup, or "".

    It reads "must begin with https://", for example: the caller puts a subject before it.
    """
    found = _URL.fullmatch(url) if len(url) <= _LENGTH_MAX else None
    if found is None:
        return (
            "must be a URL of the form https://host/path, at most 2048 characters long, with an "
            "ASCII host name or an IP address and without user or password"
        )
    if found["port"] and not 0 < int(found["port"]) <= _PORT_MAX:
        return "must have a port between 1 and 65535"
    if found["scheme"].lower() == "http" and not allowed.allow_http:
        return "must begin with https://"
    return _problem_of(found["host"].strip("[]"), allowed)


def _problem_of(host: str, allowed: Rules) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or _is_number(host):
            return "must have a host name, or an IP address in standard form"
        # The resolver checks the addresses of a name at each attempt. They may be in an allowed
        # network, so a name cannot be refused here while there is one.
        fine = allowed.names_it(host) or bool(allowed.networks)
    else:
        fine = allowed.allows(host, address)
    return "" if fine else "is not allowed to be at this host; ask your falgate operator"


def _is_number(host: str) -> bool:
    """Return whether some URL parser reads a host as an IPv4 address: 127.1, 2130706433, 0x7f.1."""
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None

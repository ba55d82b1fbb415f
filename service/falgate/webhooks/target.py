"""Targets of webhooks: what a URL may be, and which addresses may stand behind it."""

import ipaddress
import re
from collections.abc import Iterable

import msgspec

from falgate.core.errors import InputRejected

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LENGTH_MAX = 2_048
_PORT_MAX = 65_535

# Only what no second reader of the URL, such as the one that connects, could take otherwise.
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
        # Addresses that carry another one, or lead to it: IETF protocols with Teredo, 6to4 and its
        # relays. NAT64 and IPv4-mapped ones are outside of 2000::/3 anyhow. The last is for
        # documentation, which not every Python knows.
        ("2001::/23", "2002::/16", "192.88.99.0/24", "3fff::/20"),
    )
)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where webhooks may go.

    Attributes:
        names: Hosts; "*.x" is every name below x.
        networks: Whose addresses are allowed whatever they are.
        allow_http: Whether it may be without TLS.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    allow_http: bool = False

    def allows(self, host: str, address: Address) -> bool:
        """Whether a connection may go to this address, which is that of `host`."""
        return self._lists(address) or (is_public(address) and self.names_it(host))

    def reaches(self, address: Address) -> bool:
        """Whether any host may be at this address."""
        return self._lists(address) or is_public(address)

    def names_it(self, host: str) -> bool:
        """Whether a host may be anywhere in public; without any rule, each may."""
        if not self.names and not self.networks:
            return True
        name = host.lower().rstrip(".")
        above = name.split(".")[1:]
        wider = (f"*.{'.'.join(above[at:])}" for at in range(len(above)))
        return name in self.names or any(each in self.names for each in wider)

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def rules(entries: Iterable[str], *, allow_http: bool) -> Rules:
    """Rules from an operator's list of names and networks.

    Raises:
        ValueError: One of them is neither; the message says which.
    """
    names, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            if not _NAMED.fullmatch(entry) or _is_number(entry):
                raise ValueError(
                    f"{entry!r} is neither a name nor a network, such as hooks.example, "
                    "*.apps.example or 10.1.0.0/16"
                ) from None
            names.add(entry.lower())
    return Rules(names=frozenset(names), networks=tuple(networks), allow_http=allow_http)


def is_public(address: Address) -> bool:
    """Whether an address is somebody's on the internet, and nothing that leads elsewhere."""
    if not address.is_global or address.is_multicast or any(address in way for way in _PASSAGES):
        return False
    return address.version == 4 or address in _WORLD  # noqa: PLR2004 - of IP


def check_target(url: str, allowed: Rules) -> None:
    """Nothing, where a webhook may go to a URL as far as that can be told without looking it up.

    Raises:
        InputRejected: It may not; fal's form, at `fal_webhook`.
    """
    problem = _problem(url, allowed)
    if problem:
        # Without what may be a secret: a password, a path, a query.
        at = ["query", "fal_webhook"]
        issue = {"loc": at, "msg": problem, "type": "value_error", "input": origin(url)}
        raise InputRejected([issue])


def origin(url: str) -> str:
    """Scheme, host and port of a URL that was checked: what may be told of it; "" of any other."""
    found = _URL.fullmatch(url)
    return url[: len(url) - len(found["path"] or "")].lower() if found else ""


def without_query(url: str) -> str:
    """A URL as operators may see it."""
    return re.split(r"[?#]", url, maxsplit=1)[0]


def _problem(url: str, allowed: Rules) -> str:
    found = _URL.fullmatch(url) if len(url) <= _LENGTH_MAX else None
    if found is None:
        return (
            "A webhook is a URL https://host/path of at most 2048 characters, whose host is an "
            "ASCII name or an address, without a user or a password"
        )
    if found["port"] and not 0 < int(found["port"]) <= _PORT_MAX:
        return "The webhook's port is none"
    if found["scheme"].lower() == "http" and not allowed.allow_http:
        return "A webhook has to begin with https://"
    return _problem_of(found["host"].strip("[]"), allowed)


def _problem_of(host: str, allowed: Rules) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or _is_number(host):
            return "The webhook's host is no name, and no address in its usual form"
        # Its addresses are looked at when it is connected to; they may be of a network of the list.
        fine = allowed.names_it(host) or bool(allowed.networks)
    else:
        fine = allowed.allows(host, address)
    return "" if fine else "Webhooks may not go to this host; ask whoever runs falgate"


def _is_number(host: str) -> bool:
    """Whether some reader takes it for an IPv4 address: 127.1, 2130706433, 0x7f.1."""
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None

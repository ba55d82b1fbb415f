"""What a key may do: from where it is used, and which pictures it may ask for."""

import ipaddress
from functools import lru_cache
from typing import Any

from falgate.accounts.apikey import Permissions
from falgate.core.errors import NotAllowed
from falgate.models.spec import ModelSpec

_KEYS_KNOWN = 1_000


def check_address(permissions: Permissions, address: str) -> None:
    """Let a caller's address pass.

    Raises:
        NotAllowed: It is in none of the key's networks, or is no address.
    """
    if not permissions.networks:
        return
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        raise NotAllowed("This key may not be used from here") from None
    caller = getattr(caller, "ipv4_mapped", None) or caller
    if not any(caller in network for network in _parsed(permissions.networks)):
        raise NotAllowed("This key may not be used from here")


@lru_cache(maxsize=_KEYS_KNOWN)
def _parsed(networks: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """A record's networks: parsed when they are first met, not at each request."""
    return tuple(map(ipaddress.ip_network, networks))


def check_model(permissions: Permissions, endpoint: str) -> None:
    """Let a model pass.

    Raises:
        NotAllowed: The key may not use it.
    """
    _check("model", endpoint, permissions.models)


def check_arguments(permissions: Permissions, spec: ModelSpec, arguments: Any) -> None:
    """Let arguments pass as they are: a cap refuses, and never changes what was asked.

    Raises:
        NotAllowed: Names the argument and what may be asked instead.
    """
    _check(spec.quality, getattr(arguments, spec.quality, ""), permissions.qualities)
    _check(spec.size, getattr(arguments, spec.size, ""), permissions.sizes)
    asked, most = spec.asked(arguments), permissions.pictures_max
    if most and asked > most:
        raise NotAllowed(f"This key may ask for {most} pictures at once, not for {asked}")


def _check(what: str, asked: str, allowed: tuple[str, ...]) -> None:
    if allowed and asked not in allowed:
        raise NotAllowed(f"This key may not use this {what}; it may use {', '.join(allowed)}")

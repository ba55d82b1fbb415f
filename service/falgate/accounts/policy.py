"""Checks of a key's permissions: client address, model and arguments."""

import ipaddress
from functools import lru_cache
from typing import Any

from falgate.accounts.apikey import Permissions
from falgate.core.errors import NotAllowed
from falgate.models.spec import ModelSpec

_KEYS_KNOWN = 1_000


def check_address(permissions: Permissions, address: str) -> None:
    """Check that a client address may use a key.

    Raises:
        NotAllowed: It is in none of the key's networks, or not an address.
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
    """Parse a key's networks, once for each key instead of at each request."""
    return tuple(map(ipaddress.ip_network, networks))


def check_model(permissions: Permissions, endpoint: str, called: str = "") -> None:
    """Check that a key may use a model: one that it may call by its endpoint or by its alias.

    Args:
        permissions: The key's.
        endpoint: The model.
        called: The alias under which it was called, or "".

    Raises:
        NotAllowed: It may not.
    """
    if called not in permissions.models and not may_use(permissions, endpoint):
        raise _not_allowed("model", permissions.models)


def may_use(permissions: Permissions, endpoint: str) -> bool:
    """Return whether a key may use a model."""
    return not permissions.models or any(covers(each, endpoint) for each in permissions.models)


def covers(permitted: str, endpoint: str) -> bool:
    """Return whether an entry of a key's models is this endpoint, or a family that contains it.

    A family is whole segments of a path and "/*": "openai/gpt-image-2.5/*".
    """
    return permitted == endpoint or (
        permitted.endswith("/*") and endpoint.startswith(permitted.removesuffix("*"))
    )


def check_arguments(permissions: Permissions, spec: ModelSpec, arguments: Any) -> None:
    """Check that a key may use these arguments; a cap refuses, and never changes the arguments.

    Raises:
        NotAllowed: Names the argument and its permitted values.
    """
    _check(spec.quality or "quality", getattr(arguments, spec.quality, ""), permissions.qualities)
    _check(spec.size or "size", str(getattr(arguments, spec.size, "")), permissions.sizes)
    asked, most = spec.asked(arguments), permissions.pictures_max
    if most and asked > most:
        raise NotAllowed(f"This key may ask for {most} pictures at once, not for {asked}")
    given = sum(len(files.values(arguments)) for files in spec.inputs)
    if (most := permissions.inputs_max) and given > most:
        raise NotAllowed(f"This key may use {most} input pictures at once, not {given}")


def check_input_bytes(permissions: Permissions, size_bytes: int) -> None:
    """Check that a key may use input pictures of this size together.

    Raises:
        NotAllowed: They are larger than it permits.
    """
    most = permissions.input_bytes_max
    if most and size_bytes > most:
        raise NotAllowed(
            f"This key may use input pictures of {most} bytes together, not of {size_bytes}"
        )


def _check(what: str, asked: str, allowed: tuple[str, ...]) -> None:
    if allowed and asked not in allowed:
        raise _not_allowed(what, allowed)


def _not_allowed(what: str, allowed: tuple[str, ...]) -> NotAllowed:
    return NotAllowed(f"This key may not use this {what}; it may use {', '.join(allowed)}")

"""What a key's settings may say: nothing that would quietly never match or never end."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_type_hints

from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.core.problems import Invalid
from falgate.models.spec import ModelSpec

NOTE_MAX = 200
ENTRIES_MAX = 100
"""Of each list of a key's permissions: every request is held against them."""

_EXPIRES_S_MAX = 100 * 366 * 86_400


def check_expiry(expires_s: int, now_s: int) -> None:
    """Nothing, where a key that is made or changed now may expire then; 0 is never.

    Raises:
        Invalid: That is past, or a hundred years from now.
    """
    if expires_s and expires_s <= now_s:
        raise Invalid("That expiry is in the past; give a time to come, or disable the key")
    if expires_s > now_s + _EXPIRES_S_MAX:
        raise Invalid("That expiry is too far away; leave it out for a key that does not expire")


def check_note(name: str) -> None:
    """Nothing, where a key may have this note.

    Raises:
        Invalid: It is long, or has control characters, which a terminal would obey.
    """
    if len(name) > NOTE_MAX or not all(character.isprintable() for character in name):
        raise Invalid(f"A key's name is one line of up to {NOTE_MAX} characters")


def checked(permissions: Permissions, models: Mapping[str, ModelSpec]) -> Permissions:
    """Permissions of which each can be met, with their networks spelt out.

    Raises:
        Invalid: A model that is not served, a quality or a size that none of the key's models
            has, something that is no network, or more of anything than a key may have.
    """
    for what in ("models", "qualities", "sizes", "networks"):
        if len(getattr(permissions, what)) > ENTRIES_MAX:
            raise Invalid(f"A key has up to {ENTRIES_MAX} {what}; give larger ones, or more keys")
    _check("model", permissions.models, models)
    served = [models[name] for name in permissions.models or models]
    _check("quality", permissions.qualities, _values(served, [spec.quality for spec in served]))
    _check("size", permissions.sizes, _values(served, [spec.size for spec in served]))
    return replace(permissions, networks=tuple(map(_network, permissions.networks)))


def _check(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    if unknown := [each for each in given if each not in known]:
        there_is = f"there is {', '.join(known)}" if known else "these models have none"
        raise Invalid(f"{unknown[0]!r} is no {what} here; {there_is}")


def _values(specs: list[ModelSpec], arguments: list[str]) -> list[str]:
    """Every value that the models allow for their argument of one meaning, once."""
    found: dict[str, None] = {}
    for spec, argument in zip(specs, arguments, strict=True):
        hint: Any = get_type_hints(spec.input).get(argument)
        found.update(dict.fromkeys(map(str, get_args(hint))))
    return list(found)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Invalid(f"{text[:50]!r} is no network, such as 10.0.0.0/8 or 2001:db8::/32") from None
    raise Invalid(f"{text!r} is an address within a network; the network is {meant}")

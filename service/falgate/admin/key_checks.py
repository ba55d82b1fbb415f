"""Validation of a key's settings: rejects those that could never match or never take effect."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.accounts.policy import covers, may_use
from falgate.core.problems import Invalid
from falgate.models.sizes import Grid, size_named
from falgate.models.spec import ModelSpec

NOTE_MAX = 200
ENTRIES_MAX = 100
"""Maximum entries per list of permissions, because every request is checked against them."""

_EXPIRES_S_MAX = 100 * 366 * 86_400


def check_expiry(expires_s: int, now_s: int) -> None:
    """Validate an expiry time; 0 means never.

    Raises:
        Invalid: It is in the past, or more than a hundred years away.
    """
    if expires_s and expires_s <= now_s:
        raise Invalid("expires_at: it is in the past; set a future time, or disable the key")
    if expires_s > now_s + _EXPIRES_S_MAX:
        raise Invalid("expires_at: it is too far away; leave it out for a key that does not expire")


def check_note(name: str) -> None:
    """Validate the name of a key.

    Raises:
        Invalid: It is too long, or has control characters, which a terminal would execute.
    """
    if len(name) > NOTE_MAX or not all(character.isprintable() for character in name):
        raise Invalid(f"A key's name must be one line of up to {NOTE_MAX} characters")


def checked(
    permissions: Permissions, models: Mapping[str, ModelSpec], aliases: Mapping[str, str]
) -> Permissions:
    """Validate permissions; return them with networks and sizes in canonical form.

    A size with a name becomes what it stands for, because that is what requests are checked by.

    Args:
        permissions: Those of a key.
        models: The served models, by endpoint.
        aliases: The names that the key's app may call models by, and the endpoints.

    Raises:
        Invalid: A model is not served, a family contains none that is, a quality or size is in none
            of the key's models, a network is malformed, or a list is too long.
    """
    for what in ("models", "qualities", "sizes", "networks"):
        if len(getattr(permissions, what)) > ENTRIES_MAX:
            raise Invalid(f"A key can have up to {ENTRIES_MAX} {what}; use several keys for more")
    for each in permissions.models:
        if each not in aliases:
            _check_model(each, models)
    called = {aliases[each] for each in permissions.models if each in aliases}
    served = [spec for name, spec in models.items() if name in called or may_use(permissions, name)]
    _check("quality", permissions.qualities, _values(served, lambda spec: spec.quality))
    presets = {name: str(size) for spec in served for name, size in spec.presets.items()}
    sizes = tuple(dict.fromkeys(presets.get(size, size) for size in permissions.sizes))
    grids = [spec.grid for spec in served if spec.grid]
    named = [size for size in sizes if not any(_is_of(grid, size) for grid in grids)]
    _check("size", named, _values(served, lambda spec: spec.size))
    networks = tuple(map(_network, permissions.networks))
    return replace(permissions, sizes=sizes, networks=networks)


def _check_model(permitted: str, models: Iterable[str]) -> None:
    if any(covers(permitted, each) for each in models):
        return
    known = ", ".join(models)
    if "*" not in permitted:
        raise Invalid(f"{permitted!r} is not a known model; choose from {known}")
    raise Invalid(
        f"{permitted!r} is not a family of models: a family is whole segments and /*, such as "
        f"openai/gpt-image-2.5/*, and contains one of {known}"
    )


def _check(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    if unknown := [each for each in given if each not in known]:
        there_is = f"choose from {', '.join(known)}" if known else "these models have none"
        raise Invalid(f"{unknown[0]!r} is not a known {what}; {there_is}")


def _values(specs: Iterable[ModelSpec], argument: Callable[[ModelSpec], str]) -> list[str]:
    """Return all values that the models allow for an argument, without duplicates."""
    found: dict[str, None] = {}
    for spec in specs:
        values = _literals(get_type_hints(spec.input).get(argument(spec)))
        found.update(dict.fromkeys(values))
    return list(found)


def _literals(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(value) for value in get_args(hint)]
    return [value for each in get_args(hint) for value in _literals(each)]


def _is_of(grid: Grid, text: str) -> bool:
    """Return whether a text is one of a model's sizes, such as "1024x768"."""
    size = size_named(text)
    return size is not None and not grid.wrong(size)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Invalid(
            f"{text[:50]!r} is not a network; examples: 10.0.0.0/8, 2001:db8::/32"
        ) from None
    raise Invalid(f"{text!r} is an address within a network; the network is {meant}")

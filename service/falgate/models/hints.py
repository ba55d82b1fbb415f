"""What the type of an argument says: its values, and whether text can be in it."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

_ABSENT = (types.NoneType, msgspec.UnsetType)


def kinds(hint: Any) -> list[Any]:
    """Return the types that a union has, without limits and words; null and absence included."""
    if get_origin(hint) is Annotated:
        return kinds(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return [kind for each in get_args(hint) for kind in kinds(each)]
    return [hint]


def present(hint: Any) -> list[Any]:
    """Return the types of a union that are neither null nor absence."""
    return [kind for kind in kinds(hint) if kind not in _ABSENT]


def is_optional(hint: Any) -> bool:
    """Return whether a value may be null or absent."""
    return len(present(hint)) < len(kinds(hint))


def values_of(hint: Any) -> list[Any]:
    """Return the values that a type lists, those of a bool included."""
    found: list[Any] = []
    for kind in present(hint):
        if kind is bool:
            found += [False, True]
        elif get_origin(kind) is Literal:
            found += get_args(kind)
    return found


def only_lists(hint: Any) -> bool:
    """Return whether a type that is present has no other values than those that it lists."""
    return all(kind is bool or get_origin(kind) is Literal for kind in present(hint))


def struct_in(hint: Any) -> type[msgspec.Struct] | None:
    """Return the struct that values of a type may be, or None."""
    return next((kind for kind in kinds(hint) if _is_struct(kind)), None)


def structs_within(hint: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield all structs in a type, at any depth."""
    for kind in kinds(hint):
        if _is_struct(kind):
            yield kind
            for field in msgspec.structs.fields(kind):
                yield from structs_within(field.type)
        else:
            for each in get_args(kind) if get_origin(kind) is not Literal else ():
                yield from structs_within(each)


def most_of(hint: Any) -> int | None:
    """Return the largest whole number of a type; None if it has no limit."""
    if get_origin(hint) is Annotated:
        limits = [int(meta.le) for meta in hint.__metadata__ if meta.le is not None]
        return min(limits) if limits else most_of(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return next((most for each in get_args(hint) if (most := most_of(each)) is not None), None)
    return None


def has_text(hint: Any) -> bool:
    """Return whether a value of a type can contain any text."""
    return any(
        kind in (str, Any)
        or (_is_struct(kind) and any(has_text(each.type) for each in msgspec.structs.fields(kind)))
        or (get_origin(kind) in (list, dict) and any(map(has_text, get_args(kind))))
        for kind in present(hint)
    )


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

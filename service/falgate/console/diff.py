"""What a change makes of a record, line by line; pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_NOTHING = "\u2013"


class Difference(NamedTuple):
    """A field that a change adds, removes or replaces.

    Attributes:
        field: Its name, with dots between those of nested ones.
        before: Its value; None if it was not there.
        after: Likewise.
    """

    field: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any) -> list[Difference]:
    """Return the fields of two JSON values that differ, in the order in which they stand there.

    Of a record that is made or removed, these are the fields that say something.
    """
    told = _said if before is None or after is None else _fields
    was, becomes = dict(told(before)), dict(told(after))
    return [
        Difference(field, was.get(field), becomes.get(field))
        for field in dict.fromkeys((*was, *becomes))
        if was.get(field) != becomes.get(field)
    ]


def _said(value: Any) -> Iterator[tuple[str, str]]:
    silent = {_NOTHING, worded(False), worded(0)}
    return ((field, words) for field, words in _fields(value) if words not in silent)


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _fields(each, f"{name}.{key}" if name else str(key))
    elif value is not None or name:
        yield name, worded(value)


def worded(value: Any) -> str:
    """Return a JSON value as people write it."""
    if value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(worded, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {worded(each)}" for name, each in value.items())
    return str(value)

"""What a change makes of a record, line by line; pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from falgate.admin.field_words import called, is_known

_NOTHING = "\u2013"
_SILENT: tuple[Any, ...] = (None, "", [], {}, 0, False)
"""What says nothing of a record that is made or removed."""


class Difference(NamedTuple):
    """A field that a change adds, removes or replaces.

    Attributes:
        field: What it is called.
        before: Its value; None if it was not there.
        after: Likewise.
    """

    field: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any, spell: Callable[[str, Any], str]) -> list[Difference]:
    """Return the fields of two JSON values that differ, in the order in which they stand there.

    Of a record that is made or removed, these are the fields that say something. `spell` returns
    the words of a value, by the path of its field.
    """
    was, becomes = dict(_fields(before)), dict(_fields(after))
    alone = before is None or after is None
    return [
        Difference(
            called(path),
            spell(path, was[path]) if path in was else None,
            spell(path, becomes[path]) if path in becomes else None,
        )
        for path in dict.fromkeys((*was, *becomes))
        if (path in was, was.get(path)) != (path in becomes, becomes.get(path))
        and not (alone and (was | becomes)[path] in _SILENT)
    ]


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a JSON value by their paths, such as "limits.generations_at_once"."""
    if isinstance(value, Mapping) and not is_known(path):
        for key, each in value.items():
            yield from _fields(each, f"{path}.{key}" if path else str(key))
    elif value is not None or path:
        yield path, value


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

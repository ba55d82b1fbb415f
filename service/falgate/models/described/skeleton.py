"""A new declaration: what fal's document says, and a question mark for what a person decides."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from falgate.models.described.declaration import UNDECIDED
from falgate.models.described.document import Document
from falgate.models.described.structs import struct_of
from falgate.models.hints import only_lists, present, struct_in, structs_within, values_of
from falgate.models.sizes import ImageSize, size_named

_ROLES = {
    "prompt": "prompt",
    "count": "num_images",
    "inline": "sync_mode",
    "format": "output_format",
    "quality": "quality",
    "size": "image_size",
    "seed": "seed",
}
"""The names that fal's image models mostly have for these."""
_SCALARS = ("seed", "timings", "description")
_FLAGS = ("has_nsfw_concepts",)
FILE = re.compile(r"(?:^|_)(?:url|urls|uri|path)$")
"""Names of fields that lead to a file."""

TO_DECIDE = (
    "title: the name for people",
    "size.pixels: the fewest and the most pixels that a picture has; the most is a bound",
    "size.unknown: move sizes that are proven to fold, with their width and height",
    "price: all terms of fal's price; what depends on an argument needs `times` or `when`",
    "refuse: combinations that fal refuses or that cost more than was asked for",
    "unpooled: arguments that make a picture depend on more than the request, as a web search does",
    "closed: arguments that lead to files; input pictures belong into files, see docs/models.md",
)
"""What no document says."""


def skeleton(document: Document, *, file: str, sha256: str) -> str:
    """Return the text of a declaration.

    Args:
        document: fal's document of the endpoint.
        file: The name under which it is stored.
        sha256: Hex digest of that file.

    Raises:
        DescriptionWrong: The document is not understood.
    """
    hints = _types(struct_of(document, document.input_name, "Input"))
    result = _types(struct_of(document, document.output_name, "Output"))
    roles = {role: name for role, name in _ROLES.items() if name in hints}
    unkeyed = [roles[role] for role in ("count", "inline") if role in roles]
    lines = [
        f"endpoint = {_toml(document.endpoint)}",
        f"title = {_toml(UNDECIDED)}",
        f"openapi = {{ file = {_toml(file)}, sha256 = {_toml(sha256)} }}",
        "schema_version = 1",
        f"unkeyed = {_toml(unkeyed)}",
        "refuse = []",
        f"closed = {_toml(list(_closed(hints)))}",
        "files = []",
        "unpooled = []",
        "",
        "[fields]",
        *(f"{role} = {_toml(name)}" for role, name in roles.items()),
        "",
        "[outputs]",
        *_outputs(result),
        "",
        "[size]",
        f"pixels = {_toml(UNDECIDED)}  # [the fewest, the most]",
        *_sizes(hints.get(roles.get("size", ""))),
        "",
        "[price]",
        f"version = {_toml(UNDECIDED)}  # the day on which you read the prices",
        f"unit_usd = {_toml(UNDECIDED)}  # what fal's pricing API says; empty if you cannot ask it",
        "",
        "[[price.terms]]",
        f"of = {_toml(UNDECIDED)}  # picture, megapixel, grid or byte",
        f"usd = {_toml(UNDECIDED)}",
    ]
    return "\n".join(lines) + "\n"


def _types(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {each.name: each.type for each in msgspec.structs.fields(struct)}


def _closed(hints: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arguments that lead to files, themselves or deeper."""
    for name, hint in hints.items():
        inner = [each for struct in structs_within(hint) for each in _types(struct)]
        if any(map(FILE.search, (name, *inner))):
            yield name


def _outputs(result: Mapping[str, Any]) -> list[str]:
    files = [
        name
        for name, hint in result.items()
        if any("url" in _types(struct) for struct in structs_within(hint))
    ]
    lone = files and struct_in(result[files[0]]) is not None
    path = files[0] + ("" if lone else "[*]") if files else UNDECIDED
    found = [f"files = {_toml(path)}"]
    for key, names in (("scalars", _SCALARS), ("flags", _FLAGS)):
        if there := [name for name in names if name in result]:
            found.append(f"{key} = {_toml(there)}")
    return found


def _sizes(hint: Any) -> list[str]:
    if hint is None:
        return []
    names = [name for name in values_of(hint) if not size_named(str(name))]
    found = [f"unknown = {_toml(names)}"] if names else []
    own = any(issubclass(struct, ImageSize) for struct in structs_within(hint))
    if own and not only_lists(hint) and present(hint):
        found += [f"multiple_of = {_toml(UNDECIDED)}", f"edge_max = {_toml(UNDECIDED)}"]
    return found


def _toml(value: Any) -> str:
    """Write a text, or a list of texts: in these, TOML is as JSON."""
    return msgspec.json.encode(value).decode().replace(",", ", ") if value != [] else "[]"

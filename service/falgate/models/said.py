"""What a result says beside its files: fields about the call, and lists with one for each picture.

They are kept with each picture, so that they are shared, answered again and deleted with it.
"""

from typing import Any

import msgspec

from falgate.models.spec import ModelSpec

KEPT_BYTES_MAX = 8_192
"""What of a picture's result is kept, at most, as JSON; a longer field is left out."""


class Said(msgspec.Struct, frozen=True):
    """What a result says of one picture.

    Attributes:
        scalars: What it says about the whole call, a JSON object; empty if nothing.
        parallels: What it says of this picture alone, likewise.
        flagged: Whether the picture is not to be kept.
    """

    scalars: bytes = b""
    parallels: bytes = b""
    flagged: bool = False


NOTHING = Said()


def said(spec: ModelSpec, output: Any) -> tuple[Said, ...]:
    """Return what a result says of each of its `spec.files`, in their order."""
    files = spec.files(output)
    if not files or not (spec.scalars or spec.parallels):
        return (NOTHING,) * len(files)
    scalars = _encoded({name: output[name] for name in spec.scalars if name in output})
    found = []
    for place, file in enumerate(spec.listed(output)):
        if not spec.is_file(file):
            continue
        own = {
            name: listed[place]
            for name in spec.parallels
            if isinstance(listed := output.get(name), list) and place < len(listed)
        }
        flagged = any(own.get(name) not in (None, False) for name in spec.flags)
        found.append(Said(scalars, _encoded(own), flagged))
    return tuple(found)


def _encoded(fields: dict[str, Any]) -> bytes:
    """Encode the fields that there is room for, in their order."""
    kept: dict[str, Any] = {}
    left = KEPT_BYTES_MAX
    for name, value in fields.items():
        left -= len(msgspec.json.encode({name: value}))
        if left < 0:
            break
        kept[name] = value
    return msgspec.json.encode(kept) if kept else b""

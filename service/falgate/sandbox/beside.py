"""What the sandbox's results say beside their files, by the declared types."""

import zlib
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from falgate.models.spec import ModelSpec

_SAMPLES: dict[Any, Any] = {bool: False, int: 0, float: 0.0, str: "A placeholder."}


def beside(spec: ModelSpec, arguments: Any, request_id: str, number: int) -> dict[str, Any]:
    """Return the fields: the seed that was given or chosen, and a placeholder for any other."""
    types = get_type_hints(spec.output)
    found = {name: _sample(types[name]) for name in spec.scalars}
    if spec.seed in found:
        seeded = spec.is_seeded(arguments)
        chosen = zlib.crc32(request_id.encode())
        found[spec.seed] = getattr(arguments, spec.seed) if seeded else chosen
    return found | {name: [_element(types[name])] * number for name in spec.parallels}


def _sample(hint: Any) -> Any:
    """Return a value of a type."""
    hint = _plain(hint)
    return [] if get_origin(hint) is list else _SAMPLES.get(hint, {})


def _element(hint: Any) -> Any:
    """Return an element of a type of lists."""
    return _sample(get_args(_plain(hint))[0])


def _plain(hint: Any) -> Any:
    """Return the first type of a union, without what is annotated."""
    while get_origin(hint) in (Annotated, Union, UnionType):
        hint = get_args(hint)[0]
    return hint

"""What the requests of a model cost at most: what is held for its defaults, and for the dearest."""

import math
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import msgspec

from falgate.core.money import Micros
from falgate.models import price
from falgate.models.hints import most_of, struct_in, values_of
from falgate.models.sizes import ImageSize
from falgate.models.spec import ModelSpec

_PROMPT = "a fox"
_REQUESTS_MAX = 5_000
"""How many requests are priced, at most, to find the dearest one."""


def usual(spec: ModelSpec) -> Micros:
    """Return what is held for one picture of a short prompt, with all defaults, in micro-USD."""
    return price.ceiling(spec, spec.input(**{spec.prompt: _PROMPT}), 1)


def dearest(spec: ModelSpec) -> Micros:
    """Return the most that is held for a request with a short prompt, in micro-USD.

    Of the arguments, those count that the ledger keeps: a price depends on no others.
    """
    number = at_once(spec)
    return max(_ceilings(spec, number), default=usual(spec))


def at_once(spec: ModelSpec) -> int:
    """Return how many pictures a request may ask for."""
    hints = {each.name: each.type for each in msgspec.structs.fields(spec.input)}
    return most_of(hints[spec.count]) or 1 if spec.count else 1


def _ceilings(spec: ModelSpec, number: int) -> Iterator[Micros]:
    hints = {each.name: each.type for each in msgspec.structs.fields(spec.input)}
    choices = {name: [*values_of(hints[name]), *_largest(spec, name)] for name in spec.recorded}
    listed = {name: values for name, values in choices.items() if values}
    for values in islice(product(*listed.values()), _REQUESTS_MAX):
        given: dict[str, Any] = dict(zip(listed, values, strict=True))
        arguments = spec.normalized(spec.input(**{spec.prompt: _PROMPT, **given}))
        if spec.problem(arguments) is None:
            yield price.ceiling(spec, arguments, number)


def _largest(spec: ModelSpec, name: str) -> list[ImageSize]:
    """Return the largest square, if the argument is a size of the caller's own."""
    hint = next(each.type for each in msgspec.structs.fields(spec.input) if each.name == name)
    struct = struct_in(hint)
    if spec.grid is None or struct is None or not issubclass(struct, ImageSize):
        return []
    side = min(math.isqrt(spec.grid.pixels_max), spec.grid.edge_max)
    side -= side % spec.grid.multiple_of
    return [struct(width=side, height=side)]

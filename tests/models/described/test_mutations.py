"""Whatever the two files say, a model is refused with a reason, or served without a surprise."""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import msgspec
from easel import ENDPOINT, declaration, document, easel
from hypothesis import example, given
from hypothesis import strategies as st

from falgate.core.errors import InputRejected
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.described.drift import differences
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.price import PriceUnknown

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, 10**30, "", "x", "string", "1", [], ["x"], [1, "x"], {}),
        *({"type": "null"}, {"type": "string"}, {"type": "array"}, {"enum": []}, {"anyOf": []}),
        *({"$ref": "#/components/schemas/Tip"}, {"$ref": 1}, {"properties": {"a": 1}}),
        *({"type": "object", "properties": {"url": {}}}, {"const": "x"}, {"pattern": "("}),
    ]
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a document."""
    if above:
        yield above
    steps = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for step in steps:
        yield from places(value[step], (*above, step))


def put(value: Any, place: tuple[Any, ...], new: Any) -> None:
    """Replace what is at a place."""
    *above, last = place
    for step in above:
        value = value[step]
    value[last] = new


PUBLISHED = list(places(document()))
DECLARED = [place for place in places(declaration()) if place[0] != "openapi"]


def serve(**changes: Any) -> None:
    """Read the model; if it can be served, read and price the plainest request."""
    spec = easel(**changes)
    body = msgspec.json.encode({spec.prompt: "a fox"})
    with contextlib.suppress(InputRejected, PriceUnknown):
        arguments = read(spec, body, "application/json").arguments
        held = price.ceiling(spec, arguments, spec.asked(arguments))
        assert 0 < price.cost(spec, arguments, 1) <= held
        assert msgspec.convert(spec.purchase(arguments, 1), spec.input)
        assert spec.noted(arguments)
        assert spec.expected(arguments).pixels_max


@given(st.sampled_from(PUBLISHED), VALUES)
@example(("components", "schemas", "EaselPaintInput", "required"), 7)
def test_any_change_of_the_document_is_understood_or_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    with contextlib.suppress(DescriptionWrong):
        serve(publish=lambda it: put(it, place, value))
    now = copy.deepcopy(document())
    put(now, place, value)
    assert all(str(each) for each in differences(document(), now, ENDPOINT))


@given(st.sampled_from(DECLARED), VALUES.filter(lambda value: value is not None))
def test_any_change_of_the_declaration_is_understood_or_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    with contextlib.suppress(DescriptionWrong):
        serve(declare=lambda it: put(it, place, value))

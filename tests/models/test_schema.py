"""The pydantic twin of a struct."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta
from pydantic import ValidationError

from falgate.models.schema import adapter_of


class Spot(msgspec.Struct):
    """Nested."""

    x: Annotated[int, Meta(ge=0)]


class Every(msgspec.Struct, rename={"lettering": "font-size"}):
    """Each kind of type, with a limit wherever there can be one."""

    kind: Literal["a", "b"]
    spots: Annotated[list[Spot], Meta(min_length=1)]
    names: dict[str, Annotated[str, Meta(pattern="^[a-z]+$", title="Name")]] = {}
    step: Annotated[int, Meta(multiple_of=8)] | None = None
    note: str = ""
    lettering: Annotated[float, Meta(gt=1, lt=2)] = 1.5


def problems(value: object) -> list[tuple[str, tuple[int | str, ...]]]:
    with pytest.raises(ValidationError) as caught:
        adapter_of(Every).validate_python(value)
    return [(issue["type"], issue["loc"]) for issue in caught.value.errors()]


def test_what_was_not_given_is_not_made_up() -> None:
    given = {"kind": "a", "spots": [{"x": 1}], "step": None}

    understood = adapter_of(Every).validate_python(given)

    assert understood.model_dump(exclude_unset=True) == given


def test_every_limit_is_kept_in_the_order_of_the_fields() -> None:
    assert problems(
        {
            "font-size": 2,
            "step": 9,
            "names": {"me": "ME"},
            "spots": [{"x": -1}, {}],
            "kind": "c",
        }
    ) == [
        ("literal_error", ("kind",)),
        ("greater_than_equal", ("spots", 0, "x")),
        ("missing", ("spots", 1, "x")),
        ("string_pattern_mismatch", ("names", "me")),
        ("multiple_of", ("step",)),
        ("less_than", ("font-size",)),
    ]


def test_a_field_without_a_default_is_required() -> None:
    assert problems({}) == [("missing", ("kind",)), ("missing", ("spots",))]


def test_half_a_surrogate_pair_is_no_text() -> None:
    texts = {"names": {"me": "\ud800"}, "note": "a\udfff"}

    assert problems({"kind": "a", "spots": [{"x": 1}], **texts}) == [
        ("string_unicode", ("names", "me")),
        ("string_unicode", ("note",)),
    ]


def test_a_twin_is_built_once() -> None:
    assert adapter_of(Every) is adapter_of(Every)

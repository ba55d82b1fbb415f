"""Reading bodies; what exactly is said to each kind of them stands in tests/golden."""

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from falgate.core.errors import InputRejected
from falgate.models.arguments import Parsed, read
from falgate.models.spec import Expected, ModelSpec

JSON = "application/json"


class Box(msgspec.Struct, frozen=True):
    """A nested argument."""

    width: Annotated[int, Meta(ge=64, lt=4096)]
    height: int = 64


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of each kind that a model's file may use."""

    prompt: str
    count: Annotated[int, Meta(ge=1, le=4)] = 1
    inline: bool = False
    style: Literal["oil", "ink"] = "oil"
    size: Literal["square", "wide"] | Box = "square"
    images: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(max_length=3)] = []
    strength: Annotated[float, Meta(gt=0, le=1)] = 0.5
    seed: int | None = None
    note: Annotated[str, Meta(max_length=5, pattern="^[a-z]*$")] | None = None
    model_name: str = "a"


class Twin(BaseModel):
    """The same, declared by hand as fal's own code would."""

    class Box(BaseModel):
        """Named as the struct is: the name is part of where an issue is."""

        width: int = Field(ge=64, lt=4096)
        height: int = 64

    prompt: str
    count: int = Field(1, ge=1, le=4)
    inline: bool = False
    style: Literal["oil", "ink"] = "oil"
    size: Literal["square", "wide"] | Box = "square"
    images: list[Annotated[str, Field(min_length=2)]] = Field([], max_length=3)
    strength: float = Field(0.5, gt=0, le=1)
    seed: int | None = None
    note: Annotated[str, Field(max_length=5, pattern="^[a-z]*$")] | None = None
    model_name: str = "a"


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda _: 1,
    text_ceiling=lambda _, __: 0,
    text_estimate=lambda _, __: 0,
    expected=lambda _: Expected("image/png", 1, 1),
    count="count",
    inline="inline",
)
TWIN = TypeAdapter(Twin)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-2, 6) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
boxes = st.fixed_dictionaries({}, optional={"width": numbers, "height": numbers, "depth": texts})
spellings = st.sampled_from(
    ["1", " 4", "2.0", "yes", "off", "oil", "ink", "wide", "square", "9" * 30, "ab", "AB"]
)
scalars = st.none() | st.booleans() | numbers | texts | spellings
anything = scalars | boxes | st.lists(scalars | boxes, max_size=4)
likely: dict[str, st.SearchStrategy[Any]] = {
    "prompt": texts,
    "count": st.integers(0, 5),
    "inline": st.booleans(),
    "style": st.sampled_from(["oil", "ink", "Oil"]),
    "size": st.sampled_from(["square", "wide"]) | boxes,
    "images": st.lists(texts, max_size=4),
    "strength": st.floats(0, 1.5) | st.integers(0, 2),
    "seed": st.none() | st.integers(),
    "note": st.none() | texts | spellings,
    "model_name": texts,
}
bodies = st.fixed_dictionaries(
    {}, optional={name: values | anything for name, values in likely.items()} | {"extra": anything}
)


def answer(body: bytes, content_type: str | None = JSON) -> dict[str, Any]:
    """The arguments and what was dropped, or the refusal; in both cases as JSON can say it."""
    try:
        said: Any = read(SPEC, body, content_type)
    except InputRejected as refusal:
        said = refusal.body()
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(said))
    return decoded


def by_hand(value: Any) -> dict[str, Any]:
    """The same from the model declared by hand."""
    try:
        understood = TWIN.validate_python(value, from_attributes=True)
    except ValidationError as error:
        issues = error.errors(include_url=False)
        said: Any = {"detail": [{**each, "loc": ["body", *each["loc"]]} for each in issues]}
    else:
        dropped = sorted(value.keys() - likely.keys())
        said = {"arguments": understood.model_dump(), "dropped": dropped}
    decoded: dict[str, Any] = json.loads(json.dumps(said))
    return decoded


@given(bodies | anything, st.booleans())
@example({"prompt": "a", "count": 2.0, "inline": "yes", "seed": "7"}, False)
@example({"prompt": "a", "size": {"width": 64}, "strength": 1}, False)
@example({"prompt": "a", "note": "ABCDEF", "model_name": 1}, False)
@example({"prompt": 1, "size": {"width": 1, "height": "x"}, "images": ["a", "b", 3, "d"]}, False)
def test_any_json_is_accepted_or_refused_as_pydantic_does(value: Any, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert answer(body) == by_hand(json.loads(body))


@given(bodies)
def test_what_msgspec_alone_accepts_pydantic_accepts_with_the_same_values(
    value: dict[str, Any],
) -> None:
    body = json.dumps({"prompt": "a", **value}).encode()
    try:
        arguments = msgspec.json.decode(body, type=Input)
    except msgspec.ValidationError:
        return
    understood = TWIN.validate_json(body)

    assert msgspec.to_builtins(arguments) == understood.model_dump()


@given(st.binary(max_size=40) | st.text('[]{}",:\\ud8\ufeff19e-. tnN', max_size=30).map(str.encode))
def test_no_bytes_get_anything_but_arguments_or_issues(junk: bytes) -> None:
    for body in (junk, b'{"prompt":"a","count":' + junk, b'{"prompt":"a","x":' + junk + b"}"):
        assert answer(body).keys() in ({"detail"}, {"arguments", "dropped"})


@given(st.text(st.characters(max_codepoint=255), max_size=30))
def test_no_content_type_is_too_odd(content_type: str) -> None:
    for odd in (content_type, "application/json" + content_type, "application/" + content_type):
        said = answer(b'{"prompt": "a"}', odd)
        assert "arguments" in said or said["detail"][0]["type"] == "model_attributes_type"


def test_unknown_fields_are_named_and_left_out() -> None:
    parsed = read(SPEC, b'{"zoo": 1, "prompt": "a", "\\ud800": 2, "": [{}]}', JSON)

    assert parsed == Parsed(Input(prompt="a"), ("", "zoo", "\N{REPLACEMENT CHARACTER}"))


def test_a_prompt_is_never_changed_or_limited() -> None:
    prompt = "  e\u0301 \u200b \0 狐" + 32_000 * "x" + "\n"

    assert read(SPEC, json.dumps({"prompt": prompt}).encode(), JSON).arguments.prompt == prompt


def test_every_default_is_the_structs_own() -> None:
    coerced = read(SPEC, b'{"prompt": "a", "count": "1"}', JSON).arguments

    assert coerced == Input(prompt="a")


def test_half_a_pair_is_refused_wherever_a_text_is_kept() -> None:
    issues = answer(b'{"prompt": "\\ud800", "images": ["ok", "a\\udfff"], "note": "\\udead"}')[
        "detail"
    ]

    assert [(issue["type"], issue["loc"]) for issue in issues] == [
        ("string_unicode", ["body", "prompt"]),
        ("string_unicode", ["body", "images", 1]),
        ("string_unicode", ["body", "note"]),
    ]


def test_a_body_is_quoted_up_to_a_depth_that_can_be_encoded() -> None:
    # The answer itself nests two deep around what it quotes.
    quoted, not_quoted = answer(298 * b"[" + 298 * b"]"), answer(299 * b"[" + 299 * b"]")

    assert quoted["detail"][0]["type"] == "model_attributes_type"
    assert not_quoted["detail"][0]["ctx"] == {"error": "Nested too deeply"}


@pytest.mark.parametrize(
    "junk",
    [
        b"[" * 2**20,
        b'{"prompt":' * (2**20 // 10),
        b"9" * 2**20,
        b" " * 2**20,
        b'{"prompt": "a", "count": 1.' + b"1" * 2**20 + b"}",
        b'{"prompt": "a", "count": "' + b"1_" * 2**19 + b'1"}',
        b'{"prompt": "' + b"\\ud800" * (2**20 // 6) + b'"}',
        b'{"count": ' + b",".join([b"9" * 4300] * 60).join([b"[", b"]"]) + b"}",
    ],
    ids=["lists", "objects", "digits", "blanks", "decimals", "digits in text", "halves", "numbers"],
)
def test_a_megabyte_of_junk_is_refused(junk: bytes) -> None:
    assert answer(junk).keys() == {"detail"}


@pytest.mark.parametrize(
    "body", [b'{"count": 9, "style": "secret", "prompt": "a"}', b'{"prompt": "secret"']
)
def test_a_refusal_carries_no_error_that_quotes_the_body(body: bytes) -> None:
    with pytest.raises(InputRejected, match=r"^\d problems with the input$") as caught:
        read(SPEC, body, JSON)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None

"""Another model with its own words for everything: one file of values, and nothing else."""

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from falgate.accounts import policy
from falgate.accounts.apikey import Permissions
from falgate.core.errors import InputRejected, NotAllowed
from falgate.core.money import usd
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.spec import Expected, ModelSpec


class Canvas(msgspec.Struct, frozen=True, kw_only=True):
    """A size of the caller's own."""

    width: Annotated[int, Meta(ge=64, le=2048)]
    height: Annotated[int, Meta(ge=64, le=2048)]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may ask for."""

    text: str
    canvas: Literal["square", "wide"] | Canvas = "square"
    sources: Annotated[list[str], Meta(max_length=2)] = []
    strength: Annotated[float, Meta(ge=0, le=1)] = 0.75
    seed: int | None = None
    amount: Annotated[int, Meta(ge=1, le=8)] = 2
    embedded: bool = False


class File(msgspec.Struct, frozen=True):
    """A picture of the answer."""

    url: str


class Output(msgspec.Struct, frozen=True):
    """What an app gets."""

    drawings: list[File]


def sides(arguments: Input) -> tuple[int, int]:
    if isinstance(arguments.canvas, Canvas):
        return arguments.canvas.width, arguments.canvas.height
    return {"square": (512, 512), "wide": (1024, 512)}[arguments.canvas]


def image_price(arguments: Input) -> int:
    """A cent for each megapixel begun."""
    width, height = sides(arguments)
    return usd("0.01") * -(-width * height // 1_000_000)


SPEC = ModelSpec(
    endpoint="acme/easel/v2",
    title="Easel 2",
    schema_name="EaselV2",
    category="text-to-image",
    input=Input,
    output=Output,
    schema_version=1,
    price_version="2026-01",
    image_price=image_price,
    text_ceiling=lambda arguments, number: 2 * len(arguments.text) * number,
    text_estimate=lambda arguments, number: len(arguments.text) * number,
    expected=lambda arguments: Expected("image/webp", *sides(arguments)),
    recorded=("canvas",),
    pictures="drawings",
    count="amount",
    size="canvas",
    inline="embedded",
)


def ask(**fields: Any) -> Input:
    arguments = read(SPEC, json.dumps(fields).encode(), "application/json").arguments
    assert isinstance(arguments, Input)
    return arguments


def test_its_arguments_are_read() -> None:
    assert ask(text="a fox") == Input(text="a fox")
    assert ask(text="a fox", canvas={"width": 64, "height": "100"}, amount="8", seed=7) == Input(
        text="a fox", canvas=Canvas(width=64, height=100), amount=8, seed=7
    )


def test_its_problems_are_named() -> None:
    with pytest.raises(InputRejected) as caught:
        ask(canvas={"width": 1}, sources=["a", 2], strength=2, amount=9)

    assert [(issue["type"], issue["loc"][1:]) for issue in caught.value.issues] == [
        ("missing", ["text"]),
        ("literal_error", ["canvas", "literal['square','wide']"]),
        ("greater_than_equal", ["canvas", "Canvas", "width"]),
        ("missing", ["canvas", "Canvas", "height"]),
        ("string_type", ["sources", 1]),
        ("less_than_equal", ["strength"]),
        ("less_than_equal", ["amount"]),
    ]


def test_it_is_priced() -> None:
    wide = ask(text="a fox", canvas={"width": 2048, "height": 1024}, amount=3)

    assert SPEC.asked(wide) == 3
    assert price.listed(SPEC, wide, 3) == usd("0.09")
    assert price.ceiling(SPEC, wide, 3) == usd("0.09") + 30
    assert price.cost(SPEC, wide, 2) == usd("0.06") + 10


def test_it_is_bought_in_its_own_words() -> None:
    asked = ask(text="a fox", canvas={"width": 64, "height": 64}, embedded=True)

    assert SPEC.wants_inline(asked)
    assert SPEC.purchase(asked, 1) == {
        "text": "a fox",
        "canvas": {"width": 64, "height": 64},
        "sources": [],
        "strength": 0.75,
        "seed": None,
        "amount": 1,
        "embedded": False,
    }


def test_its_pictures_are_known_beforehand() -> None:
    assert SPEC.expected(ask(text="a fox", canvas="wide")) == Expected("image/webp", 1024, 512)


def test_its_sizes_and_numbers_can_be_kept_from_a_key() -> None:
    square_only = Permissions(sizes=("square",), pictures_max=2)
    policy.check_arguments(square_only, SPEC, ask(text="a fox"))

    for fields in ({"canvas": "wide"}, {"canvas": {"width": 64, "height": 64}}, {"amount": 3}):
        with pytest.raises(NotAllowed):
            policy.check_arguments(square_only, SPEC, ask(text="a fox", **fields))

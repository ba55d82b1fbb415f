"""Prices by terms: exact, rounded up, held at the most and booked by what was delivered."""

import json
from typing import Any

from easel import easel
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.money import usd
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec

SPEC = easel()


def ask(spec: ModelSpec = SPEC, **fields: Any) -> Any:
    body = json.dumps({"prompt": "a fox", **fields}).encode()
    return read(spec, body, "application/json").arguments


def priced(*terms: dict[str, Any]) -> ModelSpec:
    """The model with these terms only."""
    return easel(lambda it: it["price"].update(terms=list(terms), round_up_to="0.000001"))


def test_a_price_is_the_sum_of_its_terms() -> None:
    # 786,432 pixels are in the first term; 15 tokens of text are 22.5 millionths.
    assert price.listed(SPEC, ask(), 3) == usd("0.03")
    assert price.listed(SPEC, ask(quality="low"), 3) == usd("0.015")
    assert price.listed(SPEC, ask(image_size={"width": 2048, "height": 1024}), 1) == usd("0.016")
    assert price.ceiling(SPEC, ask(), 1) == usd("0.0101")


def test_a_condition_adds_its_term() -> None:
    assert price.ceiling(SPEC, ask(safety_tolerance="3"), 1) == usd("0.0121")
    assert price.cost(SPEC, ask(safety_tolerance="3"), 1) == usd("0.0106")
    assert price.without_pictures(SPEC, ask(safety_tolerance="3"), 1) == usd("0.0101")


def test_a_size_that_the_model_chooses_is_held_at_its_largest_and_booked_as_delivered() -> None:
    arguments = ask(image_size="auto")

    assert price.ceiling(SPEC, arguments, 2) == usd("0.0441")  # 5 megapixels each
    assert price.cost(SPEC, arguments, 2, [(1024, 768), (2048, 1024)]) == usd("0.0261")


def test_fractions_of_a_micro_dollar_are_summed_exactly_and_rounded_up_once() -> None:
    spec = priced(
        {"of": "picture", "usd": "0.01"},
        {"of": "byte", "usd": "0.000000000001"},
        {"of": "byte", "usd": "0.000000099999"},
    )

    assert spec.text_ceiling(ask(spec, prompt="x" * 10), 1) == 1
    assert spec.text_ceiling(ask(spec, prompt="x" * 10), 10) == 10
    assert spec.text_ceiling(ask(spec, prompt="x" * 11), 10) == 11


def test_bytes_of_the_prompt_are_counted_not_characters() -> None:
    spec = priced({"of": "picture", "usd": "0.01"}, {"of": "byte", "usd": "0.000001", "plus": 3})

    assert spec.text_ceiling(ask(spec, prompt="Füchse"), 2) == 20


def test_a_term_of_a_grid_is_openais_formula() -> None:
    grid = {"low": 16, "high": 96}
    spec = priced({"of": "grid", "usd": "0.00003", "grid": grid, "unknown_size": [2048, 2048]})
    own = MODELS["openai/gpt-image-2"]

    for quality in grid:
        for size in ({"width": 1024, "height": 1536}, {"width": 2048, "height": 1152}):
            its = read(own, json.dumps({"prompt": "a", "image_size": size, "quality": quality})
                       .encode(), "application/json").arguments  # fmt: skip
            found = ask(spec, image_size=size, quality=quality)
            assert price.listed(spec, found, 1) == price.listed(own, its, 1)


@given(
    st.sampled_from(["low", "high"]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["wide", "auto", "square"]) | st.tuples(*[st.integers(4, 128)] * 2),
    st.integers(1, 4),
    st.data(),
)
def test_what_is_booked_is_never_more_than_what_was_held(
    quality: str, tolerance: str, size: Any, number: int, data: st.DataObject
) -> None:
    if not isinstance(size, str):
        size = {"width": 16 * size[0], "height": 16 * size[1]}
    arguments = ask(
        image_size=size, quality=quality, safety_tolerance=tolerance, output_format="png"
    )
    expected = SPEC.expected(arguments)
    chosen = st.tuples(st.integers(64, 2048), st.integers(64, 2048))
    one = st.just((expected.width, expected.height)) if expected.width else chosen
    delivered = data.draw(st.integers(1, number))
    sizes = data.draw(st.lists(one, max_size=delivered))

    held = price.ceiling(SPEC, arguments, number)
    assert 0 < price.cost(SPEC, arguments, delivered, sizes) <= held
    assert price.without_pictures(SPEC, arguments, number) <= held

"""The edit endpoints: fal's schema, their inputs, and a price that covers whatever is delivered."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.errors import InputRejected
from falgate.core.input_picture import InputPicture
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.endpoints.gpt_image_1_5 import IMAGE
from falgate.models.openai_edits import PATCHES_MAX, patches
from falgate.models.openai_images import GRID
from falgate.models.sizes import ImageSize
from falgate.models.spec import ModelSpec

OLD = MODELS["fal-ai/gpt-image-1.5/edit"]
TWO = MODELS["openai/gpt-image-2/edit"]
EDITS = [spec for spec in MODELS.values() if spec.inputs]
every = pytest.mark.parametrize("spec", EDITS, ids=lambda spec: spec.title)

sides = st.integers(1, 8_192)
pictures = st.builds(InputPicture, st.just("ab" * 32), sides, sides, st.just("image/png")).map(str)
drawn_sizes = st.builds(
    lambda width, height: (16 * width, 16 * height), st.integers(1, 240), st.integers(1, 240)
).filter(lambda size: not GRID.wrong(ImageSize(width=size[0], height=size[1])))


def arguments(spec: ModelSpec, **given: Any) -> Any:
    body = {"prompt": "a fox", "image_urls": ["https://a.example/a.png"], **given}
    return read(spec, json.dumps(body).encode(), "application/json").arguments


def pixels_of(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    return int(width), int(height)


def refused(spec: ModelSpec, **given: Any) -> Any:
    with pytest.raises(InputRejected) as caught:
        arguments(spec, **given)
    return caught.value.issues


def test_each_observed_number_of_tokens_is_the_formulas() -> None:
    seen = {(1024, 1024): 1024, (1536, 1024): 1536, (341, 512): 704, (1179, 2556): 1482}

    assert {size: patches(*size) for size in seen} == seen


@given(sides, sides)
def test_no_input_has_more_tokens_than_are_held_and_turning_it_changes_nothing(
    width: int, height: int
) -> None:
    assert 1 <= patches(width, height) <= PATCHES_MAX
    assert patches(width, height) == patches(height, width)


@every
def test_inputs_are_required_and_at_most_sixteen(spec: ModelSpec) -> None:
    url = "https://a.example/a.png?secret=1"
    (long,), (short,) = refused(spec, image_urls=17 * [url]), refused(spec, image_urls=[])

    assert (long["type"], long["loc"]) == ("sequence_too_long", ["body", "image_urls"])
    assert long["ctx"] == {"max_length": 16}
    assert "secret" not in str(long)
    assert (short["type"], short["ctx"]) == ("sequence_too_short", {"min_length": 1})
    assert refused(spec, image_urls=url)[0]["type"] == "list_type"
    assert arguments(spec, image_urls=16 * [url]).image_urls == 16 * [url]


@every
def test_a_mask_is_left_out_unless_it_is_given(spec: ModelSpec) -> None:
    mask = spec.inputs[1].argument
    plain = arguments(spec)

    assert mask not in spec.purchase(plain, 1)
    assert arguments(spec, **{mask: None}) == plain
    assert spec.purchase(arguments(spec, **{mask: "https://a.example/m"}), 1)[mask]


@every
def test_the_size_is_left_to_the_model_and_held_at_its_dearest(spec: ModelSpec) -> None:
    open_ = arguments(spec)

    assert open_.image_size == "auto"
    assert spec.expected(open_).width == 0
    choices = spec.priced_sizes or ({"width": 2880, "height": 2880}, "square_hd")
    held = [price.ceiling(spec, arguments(spec, image_size=each), 1) for each in choices]
    assert price.ceiling(spec, open_, 1) == max(held)


@every
@pytest.mark.parametrize("count", [1, 2, 16])
def test_each_input_and_the_mask_are_held_for_each_picture(spec: ModelSpec, count: int) -> None:
    each = 8 * (6_500 if spec is OLD else PATCHES_MAX)
    one = str(InputPicture("ab" * 32, 512, 512, "image/png"))
    mask = {spec.inputs[1].argument: one}
    with_one = price.ceiling(spec, arguments(spec, image_urls=[one]), 2)

    more = price.ceiling(spec, arguments(spec, image_urls=count * [one], **mask), 2)

    assert abs(more - with_one - 2 * count * each) <= spec.rounded_to


def test_a_size_that_the_old_model_chose_is_booked_as_delivered() -> None:
    asked, known = (
        arguments(OLD, quality="low"),
        arguments(OLD, quality="low", image_size="1024x1024"),
    )

    assert price.listed(OLD, asked, 1) == IMAGE["low", "1024x1536"]
    assert price.cost(OLD, asked, 1, [(1024, 1024)]) == price.cost(OLD, known, 1)
    assert price.cost(OLD, asked, 1, [(880, 1184)]) == price.cost(OLD, asked, 1)
    assert price.listed(OLD, known, 1) == IMAGE["low", "1024x1024"]


@every
@given(data=st.data())
def test_a_hold_covers_whatever_is_delivered(spec: ModelSpec, data: st.DataObject) -> None:
    told = spec.input.__annotations__.keys()
    inputs = data.draw(st.lists(pictures, min_size=1, max_size=16))
    fields: dict[str, Any] = {
        "prompt": data.draw(st.text(min_size=2, max_size=60)),
        "num_images": data.draw(st.integers(1, 4)),
        "quality": data.draw(st.sampled_from(["low", "medium", "high"])),
    }
    if data.draw(st.booleans()):
        fields[spec.inputs[1].argument] = data.draw(pictures)
    if "input_fidelity" in told:
        fields["input_fidelity"] = data.draw(st.sampled_from(["low", "high"]))
    if spec.grid:
        size = data.draw(st.none() | drawn_sizes)
        shown = "auto" if size is None else {"width": size[0], "height": size[1]}
        chosen = drawn_sizes
    else:
        shown = data.draw(st.sampled_from(["auto", *spec.priced_sizes]))
        size = None if shown == "auto" else pixels_of(shown)
        chosen = st.sampled_from([(1024, 1024), (1536, 1024), (1024, 1536)])
    asked = arguments(spec, image_urls=inputs, image_size=shown, **fields)
    number = asked.num_images
    delivered = data.draw(st.integers(0, number))
    sizes = [data.draw(chosen) if size is None else size for _ in range(delivered)]

    assert price.cost(spec, asked, delivered, sizes) <= price.ceiling(spec, asked, number)
    assert price.without_pictures(spec, asked, number) <= price.ceiling(spec, asked, number)


def test_the_order_of_inputs_counts_and_a_mask_is_no_input() -> None:
    a, b = (str(InputPicture(each * 32, 512, 512, "image/png")) for each in ("ab", "cd"))

    assert arguments(TWO, image_urls=[a, b]) != arguments(TWO, image_urls=[b, a])
    assert arguments(TWO, image_urls=[a, b]) != arguments(TWO, image_urls=[a], mask_url=b)

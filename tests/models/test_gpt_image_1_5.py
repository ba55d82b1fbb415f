"""fal-ai/gpt-image-1.5: its schema, its prices, its pictures."""

import itertools
import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.errors import InputRejected
from falgate.core.money import usd
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints.gpt_image_1_5 import (
    SPEC,
    Background,
    Format,
    Input,
    Quality,
    Size,
)
from falgate.models.output import ImageFile, Output
from falgate.models.spec import Expected

PRICES = {
    ("low", "1024x1024"): "0.009",
    ("low", "1024x1536"): "0.013",
    ("low", "1536x1024"): "0.013",
    ("medium", "1024x1024"): "0.034",
    ("medium", "1024x1536"): "0.051",
    ("medium", "1536x1024"): "0.050",
    ("high", "1024x1024"): "0.133",
    ("high", "1024x1536"): "0.200",
    ("high", "1536x1024"): "0.199",
}
"""As on fal's page, in dollars."""

calls = st.builds(
    Input,
    prompt=st.text(st.characters(exclude_categories=["Cs"])),
    image_size=st.sampled_from(get_args(Size)),
    background=st.sampled_from(get_args(Background)),
    quality=st.sampled_from(get_args(Quality)),
    num_images=st.integers(1, 4),
    output_format=st.sampled_from(get_args(Format)),
    sync_mode=st.booleans(),
)


def test_every_quality_and_size_has_its_price_and_no_other() -> None:
    combinations = itertools.product(get_args(Quality), get_args(Size))

    assert set(combinations) == PRICES.keys()


@pytest.mark.parametrize(("quality", "size"), PRICES)
def test_a_picture_is_listed_at_fals_price(quality: Quality, size: Size) -> None:
    for background, output_format in itertools.product(get_args(Background), get_args(Format)):
        arguments = Input(
            prompt="a fox",
            quality=quality,
            image_size=size,
            background=background,
            output_format=output_format,
        )
        assert price.listed(SPEC, arguments, 1) == usd(PRICES[quality, size])


@given(calls)
def test_what_is_held_covers_what_is_booked(arguments: Input) -> None:
    for number in range(1, arguments.num_images + 1):
        held = price.ceiling(SPEC, arguments, number)
        assert all(price.cost(SPEC, arguments, got) <= held for got in range(number + 1))


@given(calls, st.integers(1, 4))
def test_a_purchase_is_a_request_that_reads_as_itself(arguments: Input, number: int) -> None:
    bought = SPEC.purchase(arguments, number)
    parsed = read(SPEC, json.dumps(bought).encode(), "application/json")

    assert parsed.dropped == ()
    assert parsed.arguments == msgspec.structs.replace(
        arguments, num_images=number, sync_mode=False
    )


def test_a_prompts_tokens_and_reasoning_are_priced_for_each_picture() -> None:
    arguments = Input(prompt="Füchse")  # 7 bytes, so at most 7 tokens and at a guess 4

    assert price.ceiling(SPEC, arguments, 2) == 2 * (133_000 + 7 * 5 + 1_000 * 10)
    assert price.cost(SPEC, arguments, 2) == 2 * (133_000 + 4 * 5 + 200 * 10)


def test_defaults_are_fals() -> None:
    assert msgspec.to_builtins(Input(prompt="a fox")) == {
        "prompt": "a fox",
        "image_size": "1024x1024",
        "background": "auto",
        "quality": "high",
        "num_images": 1,
        "output_format": "png",
        "sync_mode": False,
    }


def test_titles_limits_and_choices_are_fals() -> None:
    (schema,) = msgspec.json.schema_components([Input])[1].values()
    fields = schema["properties"]

    assert schema["required"] == ["prompt"]
    assert {name: field["title"] for name, field in fields.items()} == {
        "prompt": "Prompt",
        "image_size": "Image Size",
        "background": "Background",
        "quality": "Quality",
        "num_images": "Number of Images",
        "output_format": "Output Format",
        "sync_mode": "Sync Mode",
    }
    assert (fields["num_images"]["minimum"], fields["num_images"]["maximum"]) == (1, 4)
    assert not {"minLength", "maxLength"} & fields["prompt"].keys()
    assert get_args(Size) == ("1024x1024", "1536x1024", "1024x1536")
    assert get_args(Background) == ("auto", "transparent", "opaque")
    assert get_args(Quality) == ("low", "medium", "high")
    assert get_args(Format) == ("jpeg", "png", "webp")


def test_every_wrong_choice_is_refused_at_once() -> None:
    wrong = {"quality": "hd", "image_size": "auto", "background": "red", "output_format": "gif"}

    with pytest.raises(InputRejected) as caught:
        read(SPEC, json.dumps({"prompt": "a", **wrong}).encode(), "application/json")
    assert {issue["loc"][1]: issue["input"] for issue in caught.value.issues} == wrong


@pytest.mark.parametrize(
    ("size", "output_format", "expected"),
    [
        ("1024x1024", "png", Expected("image/png", 1024, 1024)),
        ("1536x1024", "jpeg", Expected("image/jpeg", 1536, 1024)),
        ("1024x1536", "webp", Expected("image/webp", 1024, 1536)),
    ],
)
def test_pictures_are_expected_as_asked(
    size: Size, output_format: Format, expected: Expected
) -> None:
    asked = Input(prompt="a fox", image_size=size, output_format=output_format)

    assert SPEC.expected(asked) == expected


def test_an_answer_needs_no_more_than_urls() -> None:
    answer = msgspec.json.decode(b'{"images": [{"url": "https://x/y.png"}]}', type=Output)

    assert answer == Output(images=[ImageFile(url="https://x/y.png")])


def test_the_prompt_is_never_recorded() -> None:
    assert SPEC.recorded == ("image_size", "quality", "output_format")


def test_what_was_not_made_is_booked_without_the_margin_for_reasoning() -> None:
    arguments = SPEC.input(prompt="a fox", quality="low", num_images=2)

    assert price.ceiling(SPEC, arguments, 2) == 2 * (9_000 + 5 * 5 + 10_000)
    assert price.without_pictures(SPEC, arguments, 2) == 2 * (9_000 + 5 * 5)

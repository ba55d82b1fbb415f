"""What a model's declaration answers."""

from typing import Any

import msgspec
import pytest

from falgate.core.picture import Kept
from falgate.models.spec import Expected, ModelSpec


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments under names of their own."""

    text: str
    amount: int = 1
    embedded: bool = False


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
    count="amount",
    inline="embedded",
    pictures="drawings",
)


def test_number_and_delivery_are_read_from_the_models_own_arguments() -> None:
    asked = Input(text="a", amount=3, embedded=True)

    assert SPEC.asked(asked) == 3
    assert SPEC.wants_inline(asked)
    assert not SPEC.wants_inline(Input(text="a"))


def test_number_and_delivery_do_not_change_a_picture() -> None:
    assert SPEC.unkeyed == {"amount", "embedded"}


@pytest.mark.parametrize("embedded", [True, False])
def test_a_purchase_spells_everything_out_and_is_never_inline(embedded: bool) -> None:
    body = SPEC.purchase(Input(text="a", amount=4, embedded=embedded), 2)

    assert body == {"text": "a", "amount": 2, "embedded": False}


def test_fal_calls_number_and_delivery_so_unless_the_model_says_otherwise() -> None:
    fields = {field.name: field.default for field in msgspec.structs.fields(ModelSpec)}

    assert (fields["count"], fields["inline"], fields["pictures"]) == (
        "num_images",
        "sync_mode",
        "images",
    )
    assert (fields["quality"], fields["size"]) == ("quality", "image_size")


@pytest.mark.parametrize(
    ("content_type", "width", "height", "fits"),
    [
        ("image/png", 3, 2, True),
        ("image/webp", 3, 2, False),
        ("image/png", 2, 3, False),
        ("image/png", 3, 3, False),
    ],
)
def test_only_a_picture_of_the_right_form_fits(
    content_type: str, width: int, height: int, fits: bool
) -> None:
    assert Expected("image/png", 3, 2).fits(Kept("0" * 64, content_type, 9, width, height)) is fits


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ({"drawings": [{"url": "a"}, {"url": "b", "width": 1}], "images": [{"url": "c"}]}, "ab"),
        ({"drawings": [{"url": "a"}, {"url": None}, {}, "b", None, {"url": "c"}]}, "ac"),
        ({"drawings": {"url": "a"}}, ""),
        ({"drawings": None}, ""),
        ({}, ""),
        ([{"url": "a"}], ""),
        (None, ""),
    ],
)
def test_files_are_found_in_an_answer_as_far_as_it_has_any(output: Any, urls: str) -> None:
    assert [file["url"] for file in SPEC.files(output)] == list(urls)

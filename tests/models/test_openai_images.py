"""gpt-image-2 and 2.5: fal's schema, sizes, and prices by the token formula."""

import json
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.errors import InputRejected
from falgate.core.money import dollars
from falgate.fal.replies import Delivered
from falgate.jobs.settlement import after_result
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.openai_images import DEAREST, GRID, PICTURE_TOKEN, picture_tokens
from falgate.models.sizes import ImageSize
from falgate.models.spec import Expected, ModelSpec

TWO = MODELS["openai/gpt-image-2"]
FLARE = MODELS["openai/gpt-image-2.5/flare/text-to-image"]
SUNBURST = MODELS["openai/gpt-image-2.5/sunburst/text-to-image"]
every = pytest.mark.parametrize("spec", [TWO, FLARE, SUNBURST], ids=lambda spec: spec.title)
later = pytest.mark.parametrize("spec", [FLARE, SUNBURST], ids=lambda spec: spec.title)

SIZES = {
    (1024, 768): (".00402", ".00903", ".03612", ".06420", ".14445"),
    (1024, 1024): (".00588", ".01317", ".05268", ".09366", ".21072"),
    (1024, 1536): (".00474", ".01029", ".04116", ".07377", ".16464"),
    (2048, 1152): (".00471", ".01101", ".04239", ".07533", ".16950"),
    (2560, 1440): (".00615", ".01434", ".05529", ".09828", ".22110"),
    (2048, 2048): (".01191", ".02676", ".10704", ".19029", ".42816"),
    (3840, 2160): (".01113", ".02595", ".10008", ".17790", ".40026"),
    (2880, 2880): (".01977", ".04449", ".17790", ".31626", ".71157"),
}
"""USD of a picture by its size, at 16, 24, 48, 64 and 96 tokens along its longer side."""
ACROSS = (16, 24, 48, 64, 96)
QUALITIES = {"low": 16, "medium": 48, "high": 96}, {
    "low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96,
}  # fmt: skip

CENTS = {
    (1024, 768): (1, 4, 15),
    (1024, 1024): (1, 6, 22),
    (1024, 1536): (1, 5, 17),
    (1920, 1080): (1, 4, 16),
    (2560, 1440): (1, 6, 23),
    (3840, 2160): (2, 11, 41),
}
"""fal's table of gpt-image-2: cents of a picture at low, medium and high, rounded up."""

sizes = st.builds(
    lambda width, height: ImageSize(width=16 * width, height=16 * height),
    st.integers(1, 240),
    st.integers(1, 240),
).filter(lambda size: not GRID.wrong(size))


def arguments(spec: ModelSpec, **given: Any) -> Any:
    return read(
        spec, json.dumps({"prompt": "a fox", **given}).encode(), "application/json"
    ).arguments


def refused(spec: ModelSpec, **given: Any) -> Any:
    with pytest.raises(InputRejected) as caught:
        arguments(spec, **given)
    return caught.value.issues


@pytest.mark.parametrize("size", SIZES)
def test_each_cell_of_the_calculators_table_is_the_formulas(size: tuple[int, int]) -> None:
    width, height = size
    found = [
        PICTURE_TOKEN * picture_tokens(across, ImageSize(width=width, height=height))
        for across in ACROSS
    ]

    assert [Decimal(dollars(each)) for each in found] == [Decimal(each) for each in SIZES[size]]


@pytest.mark.parametrize("size", CENTS)
def test_each_cell_of_fals_table_is_the_formula_in_cents(size: tuple[int, int]) -> None:
    width, height = size
    # fal lists 1920x1080, which is no size of the model's: 1080 is no multiple of 16.
    found = [
        PICTURE_TOKEN * picture_tokens(across, ImageSize(width=width, height=height))
        for across in QUALITIES[0].values()
    ]

    def cents(micros: int) -> int:
        return int((Decimal(micros) / 10_000).to_integral_value(ROUND_CEILING))

    assert tuple(map(cents, found)) == CENTS[size]


@given(sizes, st.sampled_from(ACROSS))
def test_no_size_is_dearer_than_the_dearest(size: ImageSize, across: int) -> None:
    assert picture_tokens(across, size) <= picture_tokens(across, DEAREST)


@every
def test_a_picture_is_priced_by_quality_and_size(spec: ModelSpec) -> None:
    for quality, across in QUALITIES[spec is not TWO].items():
        for (width, height), row in SIZES.items():
            asked = arguments(spec, quality=quality, image_size={"width": width, "height": height})
            usd = row[ACROSS.index(across)]

            assert Decimal(dollars(price.listed(spec, asked, 3))) == 3 * Decimal(usd)


@every
def test_what_is_open_is_held_at_its_dearest(spec: ModelSpec) -> None:
    dearest = arguments(
        spec, image_size={"width": 2880, "height": 2880}, quality=[*QUALITIES[spec is not TWO]][-1]
    )

    for size in ("auto", "square", "portrait_16_9", "landscape_16_9"):
        open_ = arguments(spec, image_size=size, quality="auto")
        assert price.ceiling(spec, open_, 2) == price.ceiling(spec, dearest, 2)
        assert spec.expected(open_) == Expected("image/png", pixels=8_294_400)


@every
def test_a_call_is_held_and_booked_in_hundredths_of_a_cent(spec: ModelSpec) -> None:
    asked = arguments(spec, prompt="x" * 99, image_size="square_hd", quality="low", num_images=2)

    assert 2 * (5_880 + 5 * (99 + 64) + 10 * 1_000) == 33_390
    assert price.ceiling(spec, asked, 2) == 33_400
    assert price.cost(spec, asked, 2) % 100 == 0
    assert price.cost(spec, asked, 2) <= price.ceiling(spec, asked, 2)


@every
def test_a_size_that_the_model_chose_is_booked_as_delivered(spec: ModelSpec) -> None:
    asked = arguments(spec, image_size="auto", quality="low")
    known = arguments(spec, image_size={"width": 1024, "height": 1536}, quality="low")

    assert price.cost(spec, asked, 1, [(1024, 1536)]) == price.cost(spec, known, 1)
    assert price.worth(spec, asked, 2, [(1024, 1536)]) == (
        price.listed(spec, known, 1) + price.listed(spec, asked, 1)
    )
    for none_of_its_own in ((99_999, 99_999), (1, 600_000), (3_856, 2_160)):
        assert price.cost(spec, asked, 1, [none_of_its_own]) == price.cost(spec, asked, 1)


@every
def test_a_preset_and_its_size_are_one_request(spec: ModelSpec) -> None:
    for preset, (width, height) in {
        "square_hd": (1024, 1024),
        "landscape_4_3": (1024, 768),
        "portrait_4_3": (768, 1024),
    }.items():
        named = arguments(spec, image_size=preset)
        assert named == arguments(spec, image_size={"width": width, "height": height})
        assert spec.purchase(named, 1)["image_size"] == {"width": width, "height": height}
        assert spec.expected(named) == Expected("image/png", width, height, 8_294_400)
        # Another of the model's sizes may come, and is handed out.
        assert spec.expected(named).pixels_max == 8_294_400
        assert spec.noted(named)["image_size"] == f"{width}x{height}"
    assert arguments(spec).image_size == ImageSize(width=1024, height=768)


@pytest.mark.parametrize(
    ("width", "height"),
    [(1000, 1024), (3856, 1024), (3840, 1264), (640, 640), (3840, 2176), (512, 512)],
)
@every
def test_a_size_outside_the_grid_is_refused(spec: ModelSpec, width: int, height: int) -> None:
    (issue,) = refused(spec, image_size={"width": width, "height": height})

    assert (issue["type"], issue["loc"]) == ("value_error", ["body", "image_size"])
    assert issue["input"] == {"width": width, "height": height}
    assert issue["msg"].startswith(f"Value error, {width}x{height} is not a size of this model: ")


@every
def test_bytes_that_are_no_text_are_refused_within_a_size_too(spec: ModelSpec) -> None:
    size = b'{"width": 1024, "height": 1024, "x": "\xff"}'
    with pytest.raises(InputRejected) as caught:
        read(spec, b'{"prompt": "a fox", "image_size": %b}' % size, "application/json")

    assert caught.value.issues[0]["type"] == "json_invalid"


@every
def test_a_transparent_jpeg_is_refused(spec: ModelSpec) -> None:
    (issue,) = refused(spec, background="transparent", output_format="jpeg")

    assert issue["loc"] == ["body", "background"]
    assert arguments(spec, background="transparent", output_format="webp")


@later
def test_compression_is_of_lossy_files_and_sent_only_if_it_is_given(spec: ModelSpec) -> None:
    given = arguments(spec, output_format="webp", output_compression=50)
    plain = arguments(spec, output_format="webp")

    assert spec.purchase(given, 1)["output_compression"] == 50
    assert "output_compression" not in spec.purchase(plain, 1)
    assert arguments(spec, output_format="webp", output_compression=None) == plain
    assert spec.masters(plain) == arguments(spec)
    assert spec.masters(given) is None, "a conversion here would compress it otherwise"
    assert refused(spec, output_compression=50)[0]["loc"] == ["body", "output_compression"]
    assert refused(spec, output_format="jpeg", output_compression=101)


def test_each_generation_has_its_own_qualities_and_counts() -> None:
    assert refused(TWO, quality="max")
    assert refused(TWO, num_images=5)
    assert arguments(FLARE, quality="max", num_images=10).num_images == 10
    assert refused(FLARE, num_images=11)
    assert refused(FLARE, prompt="")


@every
@pytest.mark.parametrize("told", [True, "1024", None, 0, -1, 1024.0, 99_999])
def test_a_size_that_fal_cannot_mean_leaves_the_price_at_what_was_asked(
    spec: ModelSpec, told: Any
) -> None:
    asked = arguments(spec, image_size="square_hd", quality="low")
    file = {"url": "https://x/y.png", "width": told, "height": told}

    settlement = after_result(spec, asked, 1_000_000, Delivered({"images": [file]}, "1"))

    assert settlement.charge == price.cost(spec, asked, 1)
    assert settlement.listed == price.listed(spec, asked, 1)

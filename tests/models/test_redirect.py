"""The arguments of a model that has ended, as those of its successor."""

import json
from itertools import product
from typing import Any

import msgspec
import pytest

from falgate.core.errors import InputRejected
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.redirect import redirected

OLD = MODELS["fal-ai/gpt-image-1.5"]
NEW = MODELS["openai/gpt-image-2"]
NEWER = MODELS["openai/gpt-image-2.5/flare/text-to-image"]
JSON = "application/json"


def arguments(spec: Any, **body: Any) -> Any:
    return read(spec, json.dumps({"prompt": "a cat", **body}).encode(), JSON).arguments


def test_defaults_of_the_old_model_stay_what_they_were() -> None:
    moved = msgspec.to_builtins(redirected(OLD, arguments(OLD), NEW))

    assert moved == {
        "prompt": "a cat",
        "image_size": {"width": 1024, "height": 1024},
        "background": "auto",
        "quality": "high",
        "num_images": 1,
        "output_format": "png",
        "sync_mode": False,
    }


@pytest.mark.parametrize(
    ("size", "quality"),
    list(product(("1024x1024", "1024x1536", "1536x1024"), ("low", "medium", "high"))),
)
def test_every_size_and_quality_of_the_old_model_is_one_of_the_new(size: str, quality: str) -> None:
    for successor in (NEW, NEWER):
        moved = redirected(OLD, arguments(OLD, image_size=size, quality=quality), successor)
        assert (str(moved.image_size), moved.quality) == (size, quality)


def test_what_is_asked_for_is_kept() -> None:
    asked = {"num_images": 3, "background": "transparent", "output_format": "webp"}
    moved = redirected(OLD, arguments(OLD, **asked, sync_mode=True), NEW)

    assert {name: getattr(moved, name) for name in asked} == asked
    assert moved.sync_mode is True


def test_what_the_successor_does_not_have_is_refused_unless_it_is_not_given() -> None:
    assert redirected(NEWER, arguments(NEWER, quality="low"), NEW).quality == "low"
    with pytest.raises(InputRejected) as refused:
        redirected(NEWER, arguments(NEWER, output_compression=50, output_format="webp"), NEW)
    (issue,) = refused.value.issues
    assert issue["loc"] == ["body", "output_compression"]
    assert issue["msg"] == (
        "Value error, openai/gpt-image-2.5/flare/text-to-image has ended, and openai/gpt-image-2, "
        "which takes its place, has no output_compression"
    )


def test_a_value_that_the_successor_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(InputRejected) as refused:
        redirected(NEWER, arguments(NEWER, num_images=7), NEW)
    assert [issue["loc"] for issue in refused.value.issues] == [["body", "num_images"]]


@pytest.mark.parametrize("size", [{"width": 2048, "height": 2048}, "square_hd"])
def test_sizes_that_the_successor_does_not_make_are_refused(size: Any) -> None:
    asked = arguments(NEW, image_size=size)

    if size == "square_hd":
        assert redirected(NEW, asked, OLD).image_size == "1024x1024"
    else:
        with pytest.raises(InputRejected):
            redirected(NEW, asked, OLD)


PICTURE = f"sha256:{'ab' * 32};1024x1024;image/png"


def test_input_pictures_and_masks_go_along_whatever_they_are_called() -> None:
    old, new = MODELS["fal-ai/gpt-image-1.5/edit"], MODELS["openai/gpt-image-2/edit"]
    asked = arguments(old, image_urls=[PICTURE, PICTURE], mask_image_url=PICTURE)
    moved = redirected(old, asked, new)

    assert moved.image_urls == [PICTURE, PICTURE]
    assert moved.mask_url == PICTURE
    assert moved.image_size == "auto"


def test_an_edit_is_not_made_a_picture_without_its_input() -> None:
    old = MODELS["fal-ai/gpt-image-1.5/edit"]

    with pytest.raises(InputRejected) as refused:
        redirected(old, arguments(old, image_urls=[PICTURE]), NEW)
    assert [issue["loc"] for issue in refused.value.issues] == [["body", "image_urls"]]

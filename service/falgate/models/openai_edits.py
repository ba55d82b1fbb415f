"""What the edit endpoints of OpenAI's models share: input pictures, a mask, and their price.

OpenAI publishes no formula for the tokens of an input picture. The one here gives every number of
tokens that has been observed in its usage reports, and fits what fal billed.
"""

from math import isqrt
from typing import Annotated, Any

from msgspec import Meta, UnsetType

from falgate.core.input_picture import input_picture
from falgate.core.money import Micros
from falgate.models import openai_images as family
from falgate.models.input_files import InputFiles

IMAGES_MAX = 16

INPUT_TOKEN: Micros = 8
"""$8 per million tokens of an input picture."""
PATCHES_MAX = 1_536
"""Tokens of the largest input picture."""
_PATCH, _SIDE_MIN = 32, 1_024

ImageUrls = Annotated[
    list[str],
    Meta(
        title="Image Urls",
        description="The URLs of the images to edit",
        examples=[["https://example.com/image.png"]],
    ),
]
MaskUrl = (
    Annotated[
        str, Meta(title="Mask Url", description="The URL of a mask that tells what to change")
    ]
    | UnsetType
    | None
)


def inputs(mask: str = "mask_url") -> tuple[InputFiles, InputFiles]:
    """Return the declaration of the images and the mask, whose argument is named `mask`."""
    return (
        InputFiles(argument="image_urls", many=True, most=IMAGES_MAX),
        InputFiles(argument=mask, least=0, types=("image/png",), masks="image_urls"),
    )


INPUTS = inputs()


def patches(width: int, height: int) -> int:
    """Return the tokens of an input picture: patches of 32 pixels, after it was scaled.

    A small picture is enlarged to 1,024 pixels, a large one shrunk to `PATCHES_MAX` patches.
    """
    if (longer := max(width, height)) < _SIDE_MIN:
        width, height = (-(-side * _SIDE_MIN // longer) for side in (width, height))
    across, down = -(-width // _PATCH), -(-height // _PATCH)
    if across * down <= PATCHES_MAX:
        return across * down
    across = max(1, isqrt(PATCHES_MAX * width // height))
    down = max(1, isqrt(PATCHES_MAX * height // width))
    # The side that was rounded down more decides the scale.
    if across * height <= down * width:
        return min(PATCHES_MAX, across * -(-across * height // width))
    return min(PATCHES_MAX, down * -(-down * width // height))


def text_ceiling(arguments: Any, number: int) -> Micros:
    """Return the most that the text and the inputs of a call may cost, in micro-USD.

    Whether inputs are billed for each picture is not known, and whether a mask is: both are held.
    """
    count = sum(len(each.values(arguments)) for each in INPUTS)
    held = number * INPUT_TOKEN * PATCHES_MAX * count
    return family.text_ceiling(arguments, number) + held


def text_estimate(arguments: Any, number: int) -> Micros:
    """Return what is booked for the text and the inputs of a call; bills show nothing for masks."""
    tokens = sum(map(_tokens, INPUTS[0].values(arguments)))
    return family.text_estimate(arguments, number) + number * INPUT_TOKEN * tokens


def _tokens(value: str) -> int:
    """Return the tokens of an input; the most if it was not read, as in an operator's quote."""
    picture = input_picture(value)
    return PATCHES_MAX if picture is None else patches(picture.width, picture.height)

"""fal-ai/gpt-image-1.5/edit. Values only.

Schema: fal's own client types (`@fal-ai/client`, `GptImage15EditInput`). Prices:
https://fal.ai/models/fal-ai/gpt-image-1.5/edit/llms.txt, read 2026-11.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from falgate.core.input_picture import input_picture
from falgate.core.money import Micros
from falgate.models import inputs
from falgate.models import openai_edits as edits
from falgate.models.endpoints import gpt_image_1_5 as plain
from falgate.models.spec import Expected

Size = Literal["auto", "1024x1024", "1536x1024", "1024x1536"]
Fidelity = Literal["low", "high"]

INPUTS = edits.inputs(mask="mask_image_url")


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may ask for; the order is fal's display order."""

    prompt: Annotated[
        str, Meta(title="Prompt", description="The prompt for image generation", min_length=2)
    ]
    image_urls: edits.ImageUrls
    image_size: Annotated[
        Size, Meta(title="Image Size", description="Aspect ratio for the generated image")
    ] = "auto"
    background: Annotated[
        plain.Background,
        Meta(title="Background", description="Background for the generated image"),
    ] = "auto"
    quality: Annotated[
        plain.Quality, Meta(title="Quality", description="Quality for the generated image")
    ] = "high"
    input_fidelity: Annotated[
        Fidelity, Meta(title="Input Fidelity", description="How closely the inputs are followed")
    ] = "high"
    num_images: Annotated[int, inputs.number(most=4)] = 1
    output_format: Annotated[
        plain.Format, Meta(title="Output Format", description="Output format for the images")
    ] = "png"
    sync_mode: inputs.SyncMode = False
    mask_image_url: edits.MaskUrl = UNSET


# fal says how many tokens an input of 1024x1024 has. Those of others are assumptions, on the high
# side: half as many again for another shape is what OpenAI documents for gpt-image-1.
SQUARE_TOKENS: dict[Fidelity, int] = {"low": 135, "high": 3_050}
TOKENS_MAX: dict[Fidelity, int] = {"low": 1_000, "high": 6_500}


def image_price(arguments: Input) -> Micros:
    """Return the price of a picture; at most, where the size is open."""
    return max(
        price
        for (quality, size), price in plain.IMAGE.items()
        if quality == arguments.quality and arguments.image_size in {"auto", size}
    )


def text_ceiling(arguments: Input, number: int) -> Micros:
    """Return the most that text and inputs may cost, in micro-USD; a mask is held as an input."""
    count = sum(len(each.values(arguments)) for each in INPUTS)
    tokens = count * TOKENS_MAX[arguments.input_fidelity]
    return plain.text_ceiling(arguments, number) + number * edits.INPUT_TOKEN * tokens


def text_estimate(arguments: Input, number: int) -> Micros:
    """Return what is booked for text and inputs, in micro-USD."""
    square = SQUARE_TOKENS[arguments.input_fidelity]
    found = map(input_picture, INPUTS[0].values(arguments))
    tokens = sum(
        square if picture and picture.width == picture.height else square * 3 // 2
        for picture in found
    )
    return plain.text_estimate(arguments, number) + number * edits.INPUT_TOKEN * tokens


def expected(arguments: Input) -> Expected:
    """Return what was asked for; without a size where the model chooses it."""
    if arguments.image_size == "auto":
        return Expected(f"image/{arguments.output_format}", pixels=2 * 1_536 * 1_024)
    return plain.expected(arguments)


SPEC = msgspec.structs.replace(
    plain.SPEC,
    endpoint="fal-ai/gpt-image-1.5/edit",
    title="GPT Image 1.5 Edit",
    schema_name="GptImage15Edit",
    category="image-to-image",
    input=Input,
    price_version="2026-11",
    image_price=image_price,
    text_ceiling=text_ceiling,
    text_estimate=text_estimate,
    expected=expected,
    priced_sizes=("1024x1024", "1536x1024", "1024x1536"),
    inputs=INPUTS,
    successor="openai/gpt-image-2/edit",
)

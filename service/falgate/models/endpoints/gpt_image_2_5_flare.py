"""openai/gpt-image-2.5/flare/text-to-image. Values only.

Schema: https://fal.ai/models/openai/gpt-image-2.5/flare/text-to-image/llms.txt, read 2026-11.
Prices: likewise, by the formula of `falgate.models.openai_images`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from falgate.models import inputs
from falgate.models import openai_images as family
from falgate.models.output import Output
from falgate.models.refused import Refused
from falgate.models.spec import ModelSpec

QUALITIES: family.Qualities = {
    "low": 16,
    "medium": 24,
    "high": 48,
    "xhigh": 64,
    "max": 96,
    "auto": 96,
}


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may ask for; the order is fal's display order."""

    prompt: family.Prompt
    image_size: family.Size = "landscape_4_3"
    background: family.Background = "auto"
    quality: Annotated[
        Literal["auto", "low", "medium", "high", "xhigh", "max"],
        Meta(title="Quality", description="Quality for the generated image"),
    ] = "high"
    num_images: Annotated[int, inputs.number(most=10)] = 1
    output_format: family.Format = "png"
    output_compression: (
        Annotated[
            int,
            Meta(
                title="Output Compression",
                description="Compression of JPEG and WebP images, in percent",
                ge=0,
                le=100,
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    sync_mode: inputs.SyncMode = False


COMPRESSED_PNG = Refused(
    {"output_format": "png"},
    "A PNG is not compressed by a percentage",
    given="output_compression",
)


SPEC = ModelSpec(
    endpoint="openai/gpt-image-2.5/flare/text-to-image",
    title="GPT Image 2.5 Flare",
    schema_name="GptImage25FlareTextToImage",
    category="text-to-image",
    input=Input,
    output=Output,
    schema_version=1,
    price_version="2026-09",
    image_price=family.image_price(QUALITIES),
    text_ceiling=family.text_ceiling,
    text_estimate=family.text_estimate,
    reasoning_ceiling=family.written_ceiling,
    rounded_to=family.ROUNDED_TO,
    expected=family.expected,
    presets=family.PRESETS,
    grid=family.GRID,
    refused=(*family.REFUSED, COMPRESSED_PNG),
    recorded=("image_size", "quality", "output_format"),
    lossy_only=("output_compression",),
)

"""openai/gpt-image-2: text to image. Values only.

Schema: https://fal.ai/models/openai/gpt-image-2/llms.txt, read 2026-11. Prices: likewise, by the
formula of `falgate.models.openai_images`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from falgate.models import inputs
from falgate.models import openai_images as family
from falgate.models.output import Output
from falgate.models.spec import ModelSpec

QUALITIES: family.Qualities = {"low": 16, "medium": 48, "high": 96, "auto": 96}


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may ask for; the order is fal's display order."""

    prompt: family.Prompt
    image_size: family.Size = "landscape_4_3"
    background: family.Background = "auto"
    quality: Annotated[
        Literal["auto", "low", "medium", "high"],
        Meta(title="Quality", description="Quality for the generated image"),
    ] = "high"
    num_images: Annotated[int, inputs.number(most=4)] = 1
    output_format: family.Format = "png"
    sync_mode: inputs.SyncMode = False


SPEC = ModelSpec(
    endpoint="openai/gpt-image-2",
    title="GPT Image 2",
    schema_name="GptImage2",
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
    refused=family.REFUSED,
    recorded=("image_size", "quality", "output_format"),
)

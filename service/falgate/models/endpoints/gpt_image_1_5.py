"""fal-ai/gpt-image-1.5: text to image. Values only.

Schema: fal's own client types (`@fal-ai/client`, `GptImage15Input`).
Prices: https://fal.ai/models/fal-ai/gpt-image-1.5/llms.txt, read 2026-08.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from falgate.core.money import Micros, usd
from falgate.models import inputs
from falgate.models.output import Output
from falgate.models.spec import Expected, ModelSpec

Size = Literal["1024x1024", "1536x1024", "1024x1536"]
Background = Literal["auto", "transparent", "opaque"]
Quality = Literal["low", "medium", "high"]
Format = Literal["jpeg", "png", "webp"]

_PROMPT = (
    "create a realistic image taken with iphone at these coordinates "
    "41°43′32″N 49°56′49″W 15 April 1912"
)


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may ask for; the order is fal's display order."""

    prompt: Annotated[
        str,
        Meta(title="Prompt", description="The prompt for image generation", examples=[_PROMPT]),
    ]
    image_size: Annotated[
        Size, Meta(title="Image Size", description="Aspect ratio for the generated image")
    ] = "1024x1024"
    background: Annotated[
        Background, Meta(title="Background", description="Background for the generated image")
    ] = "auto"
    quality: Annotated[
        Quality, Meta(title="Quality", description="Quality for the generated image")
    ] = "high"
    num_images: Annotated[int, inputs.number(most=4)] = 1
    output_format: Annotated[
        Format, Meta(title="Output Format", description="Output format for the images")
    ] = "png"
    sync_mode: inputs.SyncMode = False


IMAGE: dict[tuple[Quality, Size], Micros] = {
    ("low", "1024x1024"): usd("0.009"),
    ("low", "1024x1536"): usd("0.013"),
    ("low", "1536x1024"): usd("0.013"),
    ("medium", "1024x1024"): usd("0.034"),
    ("medium", "1024x1536"): usd("0.051"),
    ("medium", "1536x1024"): usd("0.050"),
    ("high", "1024x1024"): usd("0.133"),
    ("high", "1024x1536"): usd("0.200"),
    ("high", "1536x1024"): usd("0.199"),
}
"""Price of one picture by quality and size; background and format do not change it."""

INPUT_TOKEN: Micros = 5
"""$0.005 per 1,000 tokens of the prompt."""
OUTPUT_TOKEN: Micros = 10
"""$0.010 per 1,000 tokens of the model's reasoning about the prompt."""

# fal does not document how many tokens a prompt or its reasoning takes. Assumptions, on the high
# side: a token has at least one byte and rarely fewer than two; reasoning is billed per picture.
REASONING_TOKENS_MAX = 1_000
REASONING_TOKENS_USUAL = 200


def _prompt_bytes(arguments: Any) -> int:
    return len(arguments.prompt.encode())


def text_ceiling(arguments: Any, number: int) -> Micros:
    """One token per byte of the prompt for each picture, plus the most reasoning allowed for."""
    return number * _prompt_bytes(arguments) * INPUT_TOKEN + reasoning_ceiling(arguments, number)


def reasoning_ceiling(_: Any, number: int) -> Micros:
    """The most reasoning allowed for, in micro-USD."""
    return number * REASONING_TOKENS_MAX * OUTPUT_TOKEN


def text_estimate(arguments: Any, number: int) -> Micros:
    """One token per two bytes of the prompt for each picture, plus the usual reasoning."""
    tokens_in, tokens_out = (_prompt_bytes(arguments) + 1) // 2, REASONING_TOKENS_USUAL
    return number * (tokens_in * INPUT_TOKEN + tokens_out * OUTPUT_TOKEN)


def expected(arguments: Any) -> Expected:
    """Return the size and format that were asked for."""
    width, height = arguments.image_size.split("x")
    return Expected(f"image/{arguments.output_format}", int(width), int(height))


SPEC = ModelSpec(
    endpoint="fal-ai/gpt-image-1.5",
    title="GPT Image 1.5",
    schema_name="GptImage15",
    category="text-to-image",
    input=Input,
    output=Output,
    schema_version=1,
    price_version="2026-08",
    image_price=lambda arguments: IMAGE[arguments.quality, arguments.image_size],
    text_ceiling=text_ceiling,
    text_estimate=text_estimate,
    reasoning_ceiling=reasoning_ceiling,
    expected=expected,
    recorded=("image_size", "quality", "output_format"),
    retires=date(2026, 12, 1),  # https://developers.openai.com/api/docs/deprecations
    successor="openai/gpt-image-2",
)

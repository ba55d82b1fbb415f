"""What OpenAI's image models from gpt-image-2 on share: sizes, arguments, and the token formula.

fal bills their tokens. How many a picture has follows from its size and quality; the formula is
that of OpenAI's price calculator, and gives every price in fal's table
(https://fal.ai/models/openai/gpt-image-2) to the cent.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from falgate.core.money import Micros
from falgate.models.refused import Refused
from falgate.models.sizes import Grid, ImageSize
from falgate.models.spec import Expected

Preset = Literal[
    "square_hd",
    "square",
    "portrait_4_3",
    "portrait_16_9",
    "landscape_4_3",
    "landscape_16_9",
    "auto",
]

GRID = Grid(multiple_of=16, edge_max=3_840, ratio_max=3, pixels_min=655_360, pixels_max=8_294_400)
"""The model's own rules; fal's type allows more."""

PRESETS: Mapping[str, ImageSize] = {
    "square_hd": ImageSize(width=1_024, height=1_024),
    "landscape_4_3": ImageSize(width=1_024, height=768),
    "portrait_4_3": ImageSize(width=768, height=1_024),
}
"""What these stand for. fal does not say what it makes of the others, which lie outside `GRID`."""

REFUSED = (
    Refused(
        {"background": "transparent", "output_format": "jpeg"},
        "A JPEG cannot have a transparent background",
    ),
)

DEAREST = ImageSize(width=2_880, height=2_880)
"""Of all sizes, the one with the most tokens: held where the size is not known."""

PICTURE_TOKEN: Micros = 30
"""$30 per million tokens of a picture."""
TEXT_TOKEN_IN: Micros = 5
"""$5 per million tokens of the prompt."""
TEXT_TOKEN_OUT: Micros = 10
"""$10 per million tokens of text that the model writes while it makes a picture."""
ROUNDED_TO: Micros = 100
"""fal rounds a call up to $0.0001."""

# Bills show at most 16 text tokens more than the prompt has characters, and none written. These are
# assumptions on the high side: a token has at least one byte, and rarely fewer than two.
_TOKENS_BESIDE_PROMPT = 64
_TOKENS_WRITTEN_MAX = 1_000

Qualities = Mapping[str, int]
"""By quality, the tokens along the longer side of a picture."""


Prompt = Annotated[
    str, Meta(title="Prompt", description="The prompt for image generation", min_length=1)
]
Size = Annotated[
    ImageSize | Preset,
    Meta(
        title="Image Size",
        description="The size of the generated image. Both sides must be multiples of 16, none "
        "longer than 3840, the ratio at most 3:1, and the pixels between 655,360 and 8,294,400.",
    ),
]
Background = Annotated[
    Literal["auto", "transparent", "opaque"],
    Meta(title="Background", description="Background for the generated image"),
]
Format = Annotated[
    Literal["jpeg", "png", "webp"],
    Meta(title="Output Format", description="Output format for the images"),
]


def picture_tokens(across: int, size: ImageSize) -> int:
    """Return the tokens of a picture, `across` of them along its longer side.

    OpenAI's calculator rounds halves to even, this rounds them up, which is never less.
    """
    longer, shorter = max(size.width, size.height), min(size.width, size.height)
    down = (2 * across * shorter + longer) // (2 * longer)
    return -(-across * down * (2_000_000 + size.width * size.height) // 4_000_000)


def image_price(qualities: Qualities) -> Callable[[Any], Micros]:
    """Return what prices a picture, by its size and quality; at most, where these are open."""

    def priced(arguments: Any) -> Micros:
        size = arguments.image_size
        return PICTURE_TOKEN * picture_tokens(
            qualities[arguments.quality], size if isinstance(size, ImageSize) else DEAREST
        )

    return priced


def text_ceiling(arguments: Any, number: int) -> Micros:
    """Return the most that the text of a call may cost, in micro-USD."""
    return number * TEXT_TOKEN_IN * (
        len(arguments.prompt.encode()) + _TOKENS_BESIDE_PROMPT
    ) + written_ceiling(arguments, number)


def written_ceiling(_: Any, number: int) -> Micros:
    """Return the part of it for text that the model writes."""
    return number * TEXT_TOKEN_OUT * _TOKENS_WRITTEN_MAX


def text_estimate(arguments: Any, number: int) -> Micros:
    """Return what is booked for the text of a call, in micro-USD."""
    tokens = (len(arguments.prompt.encode()) + 1) // 2 + _TOKENS_BESIDE_PROMPT
    return number * TEXT_TOKEN_IN * tokens


def expected(arguments: Any) -> Expected:
    """Return what was asked for; without a size where the model chooses it."""
    content_type = f"image/{arguments.output_format}"
    size = arguments.image_size
    width, height = (size.width, size.height) if isinstance(size, ImageSize) else (0, 0)
    return Expected(content_type, width, height, pixels=GRID.pixels_max)

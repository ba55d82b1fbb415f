"""openai/gpt-image-2/edit. Values only.

Schema: https://fal.ai/models/openai/gpt-image-2/edit/llms.txt, read 2026-11; it is not established
whether fal reads `background` here. Prices: likewise, by `falgate.models.openai_edits`.
"""

import msgspec
from msgspec import UNSET

from falgate.models import openai_edits as edits
from falgate.models import openai_images as family
from falgate.models.endpoints import gpt_image_2 as plain


class Input(plain.Input, frozen=True, kw_only=True):
    """What an app may ask for."""

    image_urls: edits.ImageUrls
    image_size: family.Size = "auto"
    mask_url: edits.MaskUrl = UNSET


SPEC = msgspec.structs.replace(
    plain.SPEC,
    endpoint="openai/gpt-image-2/edit",
    title="GPT Image 2 Edit",
    schema_name="GptImage2Edit",
    category="image-to-image",
    input=Input,
    text_ceiling=edits.text_ceiling,
    text_estimate=edits.text_estimate,
    inputs=edits.INPUTS,
)

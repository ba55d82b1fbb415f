"""openai/gpt-image-2.5/sunburst/edit: as flare, which is the faster one. Values only.

Schema: https://fal.ai/models/openai/gpt-image-2.5/sunburst/edit/llms.txt, read 2026-11.
"""

import msgspec

from falgate.models.endpoints.gpt_image_2_5_flare_edit import SPEC as FLARE

SPEC = msgspec.structs.replace(
    FLARE,
    endpoint="openai/gpt-image-2.5/sunburst/edit",
    title="GPT Image 2.5 Sunburst Edit",
    schema_name="GptImage25SunburstEdit",
)

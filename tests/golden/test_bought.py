"""What is sent to fal for requests of every model, and what is held for it.

`GOLDEN=write pytest tests/golden` writes the file anew: read the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from shipped import SHIPPED

from falgate.core.errors import InputRejected
from falgate.core.money import dollars
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS

GOLDEN = Path(__file__).parent / "bought.json"
SPECS = {**MODELS, **SHIPPED}
FOX = {"prompt": "a fox"}
SQUARE = {"width": 1024, "height": 1024}
INPUT = f"sha256:{'0' * 64};1024x1024;image/png"
"""An input picture as it is after it was read."""
URL = "https://example.com/not-read-yet.png"
TALL = {"width": 1024, "height": 1536}
OF_2: list[dict[str, Any]] = [
    {},
    {"image_size": "square_hd", "quality": "low", "num_images": 4},
    {"image_size": TALL, "quality": "medium", "background": "transparent"},
    {"image_size": "auto", "quality": "auto", "output_format": "webp", "sync_mode": True},
    {"image_size": "portrait_16_9"},
    {"image_size": {"width": 1000, "height": 1000}},
    {"image_size": {"width": 3840, "height": 3840}},
    {"background": "transparent", "output_format": "jpeg"},
    {"num_images": 11},
    {"quality": "hd"},
    {"prompt": ""},
]
OF_2_5: list[dict[str, Any]] = [
    *OF_2,
    {"quality": "xhigh", "num_images": 10},
    {"quality": "max", "image_size": {"width": 2880, "height": 2880}},
    {"output_format": "jpeg", "output_compression": 80},
    {"output_format": "png", "output_compression": 80},
    {"output_format": "webp", "output_compression": 101},
]
EDITED: list[dict[str, Any]] = [
    {"image_urls": []},
    {"image_urls": [INPUT] * 16},
    {"image_urls": [INPUT], "mask_url": INPUT},
    {"image_urls": INPUT},
    {"image_urls": [None]},
]


def edits(of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with an input picture, and what only edits have."""
    return [FOX, *(FOX | {"image_urls": [INPUT]} | each for each in (*of, *EDITED))]


def texts(of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With a prompt."""
    return [FOX | each for each in of]


ASKED: dict[str, list[dict[str, Any]]] = {
    "fal-ai/gpt-image-1.5": texts(
        [
            {},
            {"image_size": "1024x1536", "quality": "low", "num_images": 4},
            {"image_size": "1536x1024", "quality": "medium", "background": "transparent"},
            {"output_format": "webp", "sync_mode": True, "seed": 3},
            {"image_size": "auto"},
            {"num_images": 5},
        ]
    ),
    "fal-ai/gpt-image-1.5/edit": [
        FOX,
        FOX | {"image_urls": [INPUT]},
        FOX | {"image_urls": [INPUT, INPUT], "input_fidelity": "low", "image_size": "1024x1024"},
        FOX | {"image_urls": [INPUT], "mask_image_url": INPUT, "quality": "low"},
        FOX | {"image_urls": [INPUT], "input_fidelity": "medium"},
        {"prompt": "x", "image_urls": [INPUT]},
    ],
    "openai/gpt-image-2": texts(OF_2),
    "openai/gpt-image-2/edit": edits(OF_2),
    "openai/gpt-image-2.5/flare/text-to-image": texts(OF_2_5),
    "openai/gpt-image-2.5/flare/edit": edits(OF_2_5),
    "openai/gpt-image-2.5/sunburst/text-to-image": texts(OF_2_5),
    "openai/gpt-image-2.5/sunburst/edit": edits(OF_2_5),
    "fal-ai/nano-banana-2": [
        FOX,
        FOX | {"num_images": 4, "resolution": "4K", "thinking_level": "high"},
        FOX | {"enable_web_search": True, "seed": None, "output_format": "jpeg"},
        FOX | {"seed": 7, "resolution": "0.5K", "sync_mode": True, "aspect_ratio": "8:1"},
        FOX | {"limit_generations": False},
        FOX | {"system_prompt": "as in https://example.com/style"},
        FOX | {"system_prompt": "https://example.com/style"},
        {"prompt": "ab"},
    ],
    "fal-ai/flux-2-pro": [
        FOX,
        FOX | {"image_size": SQUARE, "output_format": "png"},
        FOX | {"image_size": {"width": 1920, "height": 1088}, "seed": 0},
        FOX | {"image_size": "square_hd", "num_images": 3},
        FOX | {"image_size": {"width": 128, "height": 1024}},
        FOX | {"image_size": {"width": 2560, "height": 2560}},
    ],
    "fal-ai/flux-2-pro/edit": [
        FOX | {"image_size": SQUARE, "image_urls": [INPUT]},
        FOX | {"image_urls": [INPUT, INPUT], "seed": 1},
        FOX | {"image_urls": [URL]},
        FOX | {"image_urls": [INPUT] * 9},
        FOX | {"image_urls": []},
        FOX,
    ],
    "fal-ai/flux/schnell": [
        FOX,
        FOX | {"num_images": 4, "image_size": SQUARE, "guidance_scale": 4},
        FOX | {"acceleration": "high", "seed": 3, "num_inference_steps": 12},
        FOX | {"image_size": {"width": 14142, "height": 14142}},
        FOX | {"num_inference_steps": 13},
    ],
}


def bought(endpoint: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a request."""
    spec = SPECS[endpoint]
    try:
        arguments = read(spec, json.dumps(asked).encode(), "application/json").arguments
    except InputRejected as rejected:
        return {"asked": asked, "refused": [issue["msg"] for issue in rejected.issues]}
    number = spec.asked(arguments)
    return {
        "asked": asked,
        "bought": spec.purchase(arguments, number),
        "held_usd": dollars(price.ceiling(spec, arguments, number)),
        "seeded": spec.is_seeded(arguments),
        "kept": not spec.is_unpooled(arguments),
        "ledger": spec.noted(arguments),
    }


def test_every_model_is_here() -> None:
    assert sorted(ASKED) == sorted(SPECS)


@pytest.mark.parametrize("endpoint", ASKED)
def test_the_golden_file_is_what_would_be_bought_today(endpoint: str) -> None:
    pages = json.loads(GOLDEN.read_bytes()) if GOLDEN.exists() else {}
    found = [bought(endpoint, asked) for asked in ASKED[endpoint]]

    if os.environ.get("GOLDEN") == "write":
        pages[endpoint] = found
        GOLDEN.write_text(json.dumps(pages, indent=1) + "\n", encoding="ascii")
    assert pages[endpoint] == found

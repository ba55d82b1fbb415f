"""What is sent to fal for requests of the shipped models, and what is held for it.

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

GOLDEN = Path(__file__).parent / "shipped.json"
FOX = {"prompt": "a fox"}
SQUARE = {"width": 1024, "height": 1024}
INPUT = f"sha256:{'0' * 64};1024x1024;image/png"
"""An input picture as it is after it was read."""
ASKED: dict[str, list[dict[str, Any]]] = {
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
        FOX | {"image_urls": ["https://example.com/not-read-yet.png"]},
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
    spec = SHIPPED[endpoint]
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


def test_every_shipped_model_is_here() -> None:
    assert sorted(ASKED) == sorted(SHIPPED)


@pytest.mark.parametrize("endpoint", ASKED)
def test_the_golden_file_is_what_would_be_bought_today(endpoint: str) -> None:
    pages = json.loads(GOLDEN.read_bytes()) if GOLDEN.exists() else {}
    found = [bought(endpoint, asked) for asked in ASKED[endpoint]]

    if os.environ.get("GOLDEN") == "write":
        pages[endpoint] = found
        GOLDEN.write_text(json.dumps(pages, indent=1) + "\n", encoding="ascii")
    assert pages[endpoint] == found

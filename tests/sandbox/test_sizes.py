"""The sandbox's pictures have the size that was asked for, or one that the model would choose."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from falgate.sandbox.behaviour import Behaviour

MODEL = "/queue/openai/gpt-image-2"


@pytest.mark.parametrize(
    ("size", "delivered"),
    [
        ("auto", (1248, 832)),
        ("landscape_16_9", (1280, 720)),
        ("portrait_16_9", (720, 1280)),
        ("square", (816, 816)),
        ("portrait_4_3", (768, 1024)),
        ({"width": 1440, "height": 480}, (1440, 480)),
    ],
)
def test_a_picture_has_its_size(
    serve: Callable[..., httpx.Client], size: Any, delivered: tuple[int, int]
) -> None:
    client = serve(behaviour=Behaviour(work_s=0))
    body = {"prompt": "a fox", "quality": "low", "image_size": size}

    result = client.get(client.post(MODEL, json=body).json()["response_url"]).json()

    (file,) = result["images"]
    with Image.open(BytesIO(client.get(file["url"]).content)) as picture:
        assert picture.size == (file["width"], file["height"]) == delivered

"""Bodies with pictures in them may be larger, and the proxy announces uploads."""

import base64
import io
import random
from collections.abc import Awaitable, Callable

import httpx
import pytest
from PIL import Image

EDIT = "/openai/gpt-image-2/edit"
SIZE = (800, 600)
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def noise() -> str:
    """A picture of 1.4 MB, as a data URI."""
    buffer = io.BytesIO()
    pixels = random.Random(1).randbytes(3 * SIZE[0] * SIZE[1])
    Image.frombytes("RGB", SIZE, pixels).save(buffer, "PNG", compress_level=0)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("path", [EDIT, f"/run{EDIT}", f"/v1/quote{EDIT}", f"/queue{EDIT}"])
async def test_a_picture_in_a_body_may_be_larger_than_other_bodies(
    path: str, noise: str, ask: Ask
) -> None:
    assert (await ask(path, image_urls=[noise])).status_code == 200


async def test_a_model_without_inputs_takes_no_larger_bodies(noise: str, ask: Ask) -> None:
    answer = await ask("/openai/gpt-image-2", image_urls=[noise])

    assert answer.status_code == 413


@pytest.mark.parametrize("host", ["rest.fal.ai", "rest.alpha.fal.ai"])
async def test_an_upload_is_announced_by_the_proxy(host: str, client: httpx.AsyncClient) -> None:
    target = f"https://{host}/storage/upload/initiate?storage_type=fal-cdn-v3"

    announced = await client.post(
        "/api/fal/proxy",
        json={"content_type": "image/png", "file_name": "a.png"},
        headers={"X-Fal-Target-Url": target},
    )

    assert announced.status_code == 200
    assert announced.json().keys() == {"upload_url", "file_url"}

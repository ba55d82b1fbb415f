"""Derived formats over HTTP: the same picture in another file, and never a worse one."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from PIL import Image, ImageChops, ImageStat

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


async def picture(gateway: Any, answer: httpx.Response, index: int = 0) -> Image.Image:
    """The picture of an answer, decoded."""
    async with gateway.client() as client:
        got = await client.get(answer.json()["images"][index]["url"])
    assert got.status_code == 200
    assert got.headers["content-type"] == answer.json()["images"][index]["content_type"]
    image = Image.open(BytesIO(got.content))
    image.load()
    return image


@pytest.mark.parametrize(("output_format", "kind"), [("jpeg", "JPEG"), ("webp", "WEBP")])
async def test_it_shows_the_same_and_is_of_the_right_type(
    output_format: str, kind: str, managed: Any, buy: Buy, hire: Hire
) -> None:
    key = (await hire())["key"]
    master = await buy(key, output_format="png", background="opaque")
    derived = await buy(key, output_format=output_format, background="opaque")

    assert derived.headers["x-falgate-cache"] == "derived"
    assert derived.headers["x-falgate-saved-usd"] == "0.009"
    first, second = await picture(managed, master), await picture(managed, derived)
    assert (second.format, second.size) == (kind, first.size)
    off = ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB")))
    assert max(off.mean) < 2, "of 255"
    file = derived.json()["images"][0]
    assert (file["width"], file["height"]) == first.size
    assert file["file_name"].endswith(f".{output_format}")


async def test_a_transparent_picture_becomes_a_webp_with_its_transparency_and_no_jpeg(
    managed: Any, buy: Buy, hire: Hire
) -> None:
    key = (await hire())["key"]
    clear = {"background": "transparent"}
    master = await picture(managed, await buy(key, output_format="png", **clear))
    webp = await buy(key, output_format="webp", **clear)
    jpeg = await buy(key, output_format="jpeg", **clear)

    assert webp.headers["x-falgate-cache"] == "derived"
    alpha = (await picture(managed, webp)).convert("RGBA").getchannel("A")
    assert alpha.getextrema() == master.convert("RGBA").getchannel("A").getextrema()
    assert jpeg.headers["x-falgate-cache"] == "miss"


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
async def test_nothing_is_made_of_a_lossy_picture(output_format: str, buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    await buy(key, output_format=output_format)
    await buy(key, output_format={"jpeg": "webp", "webp": "jpeg"}[output_format])
    png = await buy(key, output_format="png")

    assert png.headers["x-falgate-cache"] == "miss"


async def test_only_what_no_format_has_is_bought(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    await buy(key, output_format="png", num_images=2)
    three = await buy(key, output_format="webp", num_images=3)
    four = await buy(key, output_format="webp", num_images=4)
    again = await buy(key, output_format="webp", num_images=4)

    assert (three.headers["x-falgate-cache"], three.headers["x-fal-billable-units"]) == (
        "partial",
        "1",
    )
    assert four.headers["x-fal-billable-units"] == "1"
    assert again.headers["x-falgate-cache"] == "derived"
    names = [image["file_name"] for image in again.json()["images"]]
    assert len(set(names)) == 4
    assert names[:3] == [image["file_name"] for image in three.json()["images"]]


async def test_asked_at_once_each_is_made_once(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    await buy(key, output_format="png", num_images=2)

    answers = await asyncio.gather(
        *(buy(key, output_format="jpeg", num_images=1 + number % 2) for number in range(8))
    )

    assert {answer.headers["x-falgate-cache"] for answer in answers} == {"derived"}
    names = {image["file_name"] for answer in answers for image in answer.json()["images"]}
    assert len(names) == 2
    pool = await buy(key, output_format="jpeg", num_images=3)
    assert pool.headers["x-fal-billable-units"] == "1"


async def test_it_comes_inline_and_by_the_queue_too(managed: Any, buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    await buy(key, output_format="png")
    inline = await buy(key, output_format="webp", sync_mode=True)
    queued = await buy(key, path="/queue/fal-ai/gpt-image-1.5", output_format="jpeg")

    uri = inline.json()["images"][0]["url"]
    assert uri.startswith("data:image/webp;base64,")
    assert Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))).format == "WEBP"
    assert queued.status_code == 200
    async with managed.client() as client:
        result = await client.get(
            queued.json()["response_url"], headers={"Authorization": f"Key {key}"}
        )
    assert result.headers["x-falgate-cache"] == "derived"


async def test_while_one_is_made_others_are_answered(managed: Any, buy: Buy, hire: Hire) -> None:
    """The event loop does not convert: a look at its health takes no longer than ever."""
    key = (await hire())["key"]
    await buy(key, output_format="png", num_images=4, image_size="1536x1024")
    async with managed.client() as client:
        making = asyncio.ensure_future(
            buy(key, output_format="webp", num_images=4, image_size="1536x1024")
        )
        looks = 0
        while not making.done():
            assert (await client.get("/healthz")).status_code == 200
            looks += 1

    assert making.result().headers["x-falgate-cache"] == "derived"
    assert looks > 3


def test_where_it_is_switched_off_nothing_is_derived(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    with (
        serve(tmp_path, derive="false") as gateway,
        httpx.Client(base_url=gateway.url, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        headers = {"Authorization": f"Key {gateway.key}"}
        sources = [
            client.post(
                "/fal-ai/gpt-image-1.5",
                json={"prompt": "a cat", "quality": "low", "output_format": output_format},
                headers=headers,
            ).headers["x-falgate-cache"]
            for output_format in ("png", "jpeg")
        ]

    assert sources == ["miss", "miss"]

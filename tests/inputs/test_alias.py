"""Edits by an alias: an input in the body is limited as in other bodies, an upload is not."""

import base64
import io
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from PIL import Image


async def test_by_an_alias_only_an_upload_may_be_larger_than_other_bodies(
    hire: Callable[..., Awaitable[Any]],
    buy: Callable[..., Awaitable[httpx.Response]],
    admin: httpx.AsyncClient,
    team: str,
) -> None:
    aliases = {"aliases": {f"acme/{team[:20]}": "openai/gpt-image-2/edit"}}
    assert (await admin.patch(f"/teams/{team}/apps/app", json=aliases)).is_success
    key = (await hire())["key"]
    file = io.BytesIO()
    noise = random.Random(2).randbytes(3 * 800 * 600)
    Image.frombytes("RGB", (800, 600), noise).save(file, "PNG", compress_level=0)
    root = f"http://{admin.base_url.netloc.decode()}"
    there = await admin.post(
        f"{root}/cdn/files/upload",
        content=file.getvalue(),
        headers={"Authorization": f"Key {key}"},
    )
    inline = "data:;base64," + base64.b64encode(file.getvalue()).decode()

    answers = [
        await buy(key, f"/acme/{team[:20]}", image_urls=[url])
        for url in (inline, there.json()["access_url"])
    ]

    assert [each.status_code for each in answers] == [413, 200]

"""What a key may use as inputs, and an upload whose key was revoked meanwhile."""

import base64
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from PIL import Image

EDIT = "/openai/gpt-image-2/edit"
Hire = Callable[..., Awaitable[Any]]
Buy = Callable[..., Awaitable[httpx.Response]]


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


URI = "data:image/png;base64," + base64.b64encode(png()).decode()


async def test_a_key_may_use_so_many_inputs_and_so_many_bytes(hire: Hire, buy: Buy) -> None:
    few = (await hire(permissions={"inputs_max": 2}))["key"]
    small = (await hire(permissions={"input_bytes_max": len(png())}))["key"]

    answers = [
        await buy(few, EDIT, image_urls=[URI, URI]),
        await buy(few, EDIT, image_urls=[URI, URI], mask_url=URI),
        await buy(small, EDIT, image_urls=[URI]),
        await buy(small, EDIT, image_urls=[URI, URI]),
    ]

    assert [each.status_code for each in answers] == [200, 403, 200, 403]
    assert "2 input pictures" in answers[1].text
    assert f"{len(png())} bytes" in answers[3].text


async def test_an_upload_of_a_key_that_was_revoked_is_not_taken(
    hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    headers = {"Authorization": f"Key {hired['key']}"}
    root = f"http://{admin.base_url.netloc.decode()}"
    announced = await admin.post(
        f"{root}/rest/storage/upload/initiate", json={"content_type": "image/png"}, headers=headers
    )
    token = await admin.post(f"{root}/rest/storage/auth/token", json={}, headers=headers)
    revoked = await admin.post(f"/keys/{hired['record']['id']}/revoke")
    assert revoked.is_success, revoked.text

    put = await admin.put(
        announced.json()["upload_url"], content=png(), headers={"Content-Type": "image/png"}
    )
    granted = {"Authorization": f"Bearer {token.json()['token']}"}
    posted = await admin.post(f"{root}/cdn/files/upload", content=png(), headers=granted)

    assert (put.status_code, posted.status_code) == (403, 403)

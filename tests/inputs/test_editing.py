"""Edits through a real gateway: what is read as an input picture, and what is refused."""

import base64
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from PIL import Image
from serving import Gateway

EDIT = "/openai/gpt-image-2/edit"
OLD_EDIT = "/fal-ai/gpt-image-1.5/edit"
Ask = Callable[..., Awaitable[httpx.Response]]


def picture(colour: str, size: tuple[int, int] = (64, 48), form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def uri(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


async def uploaded(client: httpx.AsyncClient, data: bytes, key: str = "") -> str:
    headers = {"Authorization": f"Key {key}"} if key else {}
    announced = await client.post(
        "/rest/storage/upload/initiate?storage_type=fal-cdn-v3",
        json={"content_type": "image/png", "file_name": "a.png"},
        headers=headers,
    )
    urls = announced.json()
    put = await client.put(
        urls["upload_url"],
        content=data,
        headers={"Content-Type": "image/png", "Authorization": ""},
    )
    assert put.status_code == 200, put.text
    return str(urls["file_url"])


def issue(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    [found] = answer.json()["detail"]
    return dict(found)


async def test_the_same_picture_is_one_input_whichever_way_it_comes(
    ask: Ask, client: httpx.AsyncClient
) -> None:
    data = picture("red")
    first = await ask(EDIT, image_urls=[uri(data)])
    inputs = [uri(data, "image/jpeg"), await uploaded(client, data), uri(data + b"trailing")]

    again = [await ask(EDIT, image_urls=[each]) for each in inputs]

    assert first.headers["x-falgate-cache"] == "miss"
    assert [each.headers["x-falgate-cache"] for each in again] == ["hit"] * 3
    assert {each.text for each in again} == {first.text}


async def test_what_falgate_served_is_edited(ask: Ask, client: httpx.AsyncClient) -> None:
    made = await ask(output_format="png")
    url = made.json()["images"][0]["url"]

    edited = await ask(EDIT, image_urls=[url])
    same = await ask(EDIT, image_urls=[uri((await client.get(url)).content)])

    assert (edited.status_code, same.headers["x-falgate-cache"]) == (200, "hit")


async def test_order_and_mask_make_another_request(ask: Ask) -> None:
    red, blue = uri(picture("red")), uri(picture("blue"))
    several: list[dict[str, Any]] = [
        {"image_urls": [red, blue]},
        {"image_urls": [blue, red]},
        {"image_urls": [red], "mask_url": blue},
        {"image_urls": [red]},
    ]

    answers = [await ask(EDIT, **each) for each in several]

    assert [each.headers["x-falgate-cache"] for each in answers] == ["miss"] * 4


@pytest.mark.parametrize("path", [EDIT, OLD_EDIT, "/openai/gpt-image-2.5/flare/edit"])
async def test_what_is_booked_is_at_most_what_is_quoted_to_be_held(path: str, ask: Ask) -> None:
    arguments = {"image_urls": [uri(picture("red")), uri(picture("blue", (800, 30)))]}
    quote = (await ask(f"/v1/quote{path}", **arguments)).json()

    made = await ask(path, **arguments)

    cost = float(made.headers["x-falgate-cost-usd"])
    assert 0 < cost <= float(quote["hold_usd"])


GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA=")
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (uri(b"<html></html>"), "unsupported_image_format"),
        (uri(SVG, "image/svg+xml"), "unsupported_image_format"),
        (uri(GIF), "unsupported_image_format"),
        (uri(picture("red")[:-20]), "image_load_error"),
        (uri(picture("red", (8193, 1))), "image_too_large"),
        ("data:image/png;base64,&&&", "file_download_error"),
        ("data:image/png,abc", "file_download_error"),
        ("https://word@a.fal.media/x", "file_download_error"),
        ("http://v3.fal.media/x?secret", "file_download_error"),
        ("https://other.example/x?secret", "file_download_error"),
        ("https://127.0.0.1/x?secret", "file_download_error"),
        ("https://[::1]/x?secret", "file_download_error"),
        ("https://169.254.169.254/x?secret", "file_download_error"),
        ("file:///etc/passwd", "file_download_error"),
        (f"sha256:{'ab' * 32};64x48;image/png", "file_download_error"),
        (f"https://gateway.example/inputs/{'ab' * 16}", "file_download_error"),
        (f"https://gateway.example/pictures/{'ab' * 32}.png", "file_download_error"),
        ("", "file_download_error"),
    ],
)
async def test_what_cannot_be_read_is_refused_before_anything_is_bought(
    value: str, kind: str, ask: Ask
) -> None:
    answer = await ask(EDIT, image_urls=[uri(picture("red")), value])

    found = issue(answer)
    assert (found["type"], found["loc"]) == (kind, ["body", "image_urls", 1])
    assert found["url"] == f"https://docs.fal.ai/errors#{kind}"
    assert "secret" not in answer.text
    assert "x-falgate-cost-usd" not in answer.headers


async def test_a_mask_of_another_size_is_refused(ask: Ask) -> None:
    red, other = uri(picture("red")), uri(picture("red", (48, 64)))

    found = issue(await ask(EDIT, image_urls=[red], mask_url=other))

    assert found["loc"] == ["body", "mask_url"]
    assert "64x48, not 48x64" in found["msg"]


async def test_seventeen_inputs_are_refused(ask: Ask) -> None:
    found = issue(await ask(EDIT, image_urls=17 * [uri(picture("red"))]))

    assert (found["type"], found["loc"]) == ("sequence_too_long", ["body", "image_urls"])


async def test_another_apps_upload_is_none_and_nobody_is_served_it(
    ask: Ask, client: httpx.AsyncClient, serving: Gateway
) -> None:
    url = await uploaded(client, picture("green"), await serving.issue(team="another"))

    found = issue(await ask(EDIT, image_urls=[url]))

    assert found["type"] == "file_download_error"
    assert (await client.get(url)).status_code == 404


async def test_what_is_stored_of_an_input_is_not_served(
    ask: Ask, client: httpx.AsyncClient, serving: Gateway
) -> None:
    data = picture("purple")
    await ask(EDIT, image_urls=[uri(data)])
    name = f"{hashlib.sha256(data).hexdigest()}.png"

    assert list((serving.data / "media" / "inputs").rglob(name))
    for path in (name, f"../inputs/default/app/{name}", f"inputs/default/app/{name}"):
        assert (await client.get(f"/pictures/{path}")).status_code == 404
    assert hashlib.sha256(data).hexdigest() not in serving.logged()


async def test_an_upload_is_put_once_and_as_it_was_announced(client: httpx.AsyncClient) -> None:
    announced = await client.post(
        "/rest/storage/upload/initiate", json={"content_type": "image/png"}
    )
    url = announced.json()["upload_url"]
    types = ("image/jpeg", "image/png", "image/png")

    statuses = [
        (await client.put(url, content=picture("red"), headers={"Content-Type": each})).status_code
        for each in types
    ]

    assert statuses == [422, 200, 404]
    unknown = await client.put(f"{url[:-32]}{'0' * 32}", content=b"")
    assert unknown.status_code == 404


async def test_python_uploads_with_a_token_that_does_nothing_else(
    ask: Ask, client: httpx.AsyncClient, serving: Gateway
) -> None:
    """An app's proxy adds the key for browsers, so what they are answered must not be the key."""
    answer = await client.post("/rest/storage/auth/token", json={})
    token = answer.json()
    headers = {"Authorization": f"{token['token_type']} {token['token']}"}

    there = await client.post("/cdn/files/upload", content=picture("teal"), headers=headers)
    no_picture = await client.post("/cdn/files/upload", content=b"<html>", headers=headers)
    in_parts = await client.post("/cdn/files/upload/multipart", headers=headers)
    elsewhere = [
        await client.post("/rest/storage/auth/token", json={}, headers=headers),
        await client.post("/rest/storage/upload/initiate", json={}, headers=headers),
        await ask(EDIT, image_urls=[there.json()["access_url"]], headers=headers),
    ]

    assert serving.key not in answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    edited = await ask(EDIT, image_urls=[there.json()["access_url"]])
    assert (edited.status_code, no_picture.status_code, in_parts.status_code) == (200, 422, 413)
    assert [each.status_code for each in elsewhere] == [401] * 3


async def test_a_key_uploads_without_a_token_and_an_unknown_token_does_not(
    client: httpx.AsyncClient,
) -> None:
    headers = {"Authorization": f"Bearer {'ab' * 16}"}
    keyed = await client.post("/cdn/files/upload", content=picture("navy"))
    unknown = await client.post("/cdn/files/upload", content=picture("navy"), headers=headers)

    assert (keyed.status_code, unknown.status_code) == (200, 401)


@pytest.mark.parametrize(
    "path",
    ["/rest/storage/upload/initiate-multipart", "/cdn/files/upload/multipart"],
)
async def test_an_upload_in_parts_is_refused(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.post(path, json={})).status_code == 413


@pytest.mark.parametrize(
    "path", ["/rest/storage/upload/initiate", "/rest/storage/auth/token", "/cdn/files/upload"]
)
async def test_nothing_is_uploaded_without_a_key(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.post(path, json={}, headers={"Authorization": ""})

    assert answer.status_code == 401


async def test_fal_gets_falgates_copy_and_never_the_callers_url(
    ask: Ask, client: httpx.AsyncClient, serving: Gateway
) -> None:
    url = await uploaded(client, picture("olive"))
    made = await ask(EDIT, image_urls=[url], num_images=2)

    records = [json.loads(file.read_bytes()) for file in (serving.data / "sandbox").glob("*.json")]
    [sent] = [
        each["received"]
        for each in records
        if each["received"]["num_images"] == 2 and each["endpoint"] == EDIT[1:]
    ]

    assert made.status_code == 200
    assert len(sent["image_urls"]) == 1
    assert sent["image_urls"][0].startswith("http://queue.sandbox/files/u/")

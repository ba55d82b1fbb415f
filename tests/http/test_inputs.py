"""Edits on every route, input pictures that are none, and logs that say nothing of them."""

import base64
import io
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from falgate.redis import picture_keys

EDIT = "/openai/gpt-image-2/edit"
EDITS = [
    EDIT,
    "/fal-ai/gpt-image-1.5/edit",
    "/openai/gpt-image-2.5/flare/edit",
    "/openai/gpt-image-2.5/sunburst/edit",
]
INITIATE = "/rest/storage/upload/initiate?storage_type=fal-cdn-v3"

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


def picture(
    colour: str = "red", size: tuple[int, int] = (60, 40), kind: str = "PNG", mode: str = "RGB"
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


def inline(data: bytes, content_type: str = "image/png") -> str:
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
async def key(hire: Hire) -> str:
    """A key of this test's own app."""
    made: str = (await hire())["key"]
    return made


@pytest.fixture
def upload(administered: Any) -> Callable[..., Awaitable[str]]:
    """Uploads a picture as fal's JavaScript client does, and gives its URL."""

    async def uploaded(key: str, data: bytes, content_type: str = "image/png") -> str:
        async with administered.client() as client:
            headers = {"Authorization": f"Key {key}"}
            body = {"content_type": content_type, "file_name": "1.png"}
            begun = await client.post(INITIATE, json=body, headers=headers)
            assert begun.status_code == 200, begun.text
            del client.headers["Authorization"]  # fal's clients send none
            put = await client.put(
                begun.json()["upload_url"], content=data, headers={"Content-Type": content_type}
            )
            assert put.status_code == 200, put.text
            url: str = begun.json()["file_url"]
            return url

    return uploaded


def issue(answer: httpx.Response) -> Any:
    """The only problem of an answer."""
    assert answer.status_code == 422, answer.text
    (found,) = answer.json()["detail"]
    return found


@pytest.mark.parametrize("endpoint", EDITS)
async def test_an_edit_is_bought_and_found_again(endpoint: str, buy: Buy, key: str) -> None:
    bought = await buy(key, endpoint, image_urls=[inline(picture())])
    again = await buy(key, endpoint, image_urls=[inline(picture())])

    assert (bought.status_code, bought.headers["x-falgate-cache"]) == (200, "miss")
    assert again.headers["x-falgate-cache"] == "hit"
    assert bought.json() == again.json()


async def test_the_queue_and_quotes_take_them_too(buy: Buy, key: str, administered: Any) -> None:
    urls = [inline(picture("yellow"))]
    quoted = (await buy(key, f"/v1/quote{EDIT}", image_urls=urls)).json()
    queued = await buy(key, f"/queue{EDIT}", image_urls=urls)

    assert (quoted["cache"], quoted["allowed"]) == ("miss", True)
    assert queued.status_code == 200
    async with administered.client() as client:
        client.headers["Authorization"] = f"Key {key}"
        while (await client.get(queued.json()["status_url"])).json()["status"] != "COMPLETED":
            pass
        assert (await client.get(queued.json()["response_url"])).status_code == 200
    again = (await buy(key, f"/v1/quote{EDIT}", image_urls=urls)).json()
    assert (again["cache"], again["hold_usd"]) == ("hit", "0.00")


async def test_apps_share_an_edit_but_no_uploads(
    buy: Buy, key: str, upload: Any, admin: httpx.AsyncClient, team: str
) -> None:
    made = await admin.post(f"/teams/{team}/apps", json={"name": "second"})
    assert made.status_code == 201
    second = (await admin.post("/keys", json={"team": team, "app": "second"})).json()["key"]
    urls = {each: await upload(each, picture("gold")) for each in (key, second)}

    bought = await buy(key, EDIT, image_urls=[urls[key]])
    shared = await buy(second, EDIT, image_urls=[urls[second]])
    stolen = [
        await buy(key, EDIT, image_urls=[urls[second]]),
        await buy(second, EDIT, image_urls=[urls[key]]),
    ]

    assert (bought.headers["x-falgate-cache"], shared.headers["x-falgate-cache"]) == ("miss", "hit")
    assert shared.json() == bought.json()
    never = issue(await buy(key, EDIT, image_urls=[f"{urls[key][:-32]}{'0' * 32}"]))
    assert [issue(each) for each in stolen] == [never] * 2, "it is no oracle"


async def test_an_edit_is_not_answered_from_memory_once_its_upload_has_expired(
    buy: Buy, key: str, upload: Any, administered: Any
) -> None:
    url = await upload(key, picture("coral"))
    bought, again = [await buy(key, EDIT, image_urls=[url]) for _ in range(2)]
    async with administered.redis() as redis:
        assert await redis.delete(picture_keys.upload(url.rpartition("/")[2])) == 1

    found = issue(await buy(key, EDIT, image_urls=[url]))

    assert [each.headers["x-falgate-cache"] for each in (bought, again)] == ["miss", "hit"]
    assert found["type"] == "file_download_error"
    assert "upload it again" in found["msg"]


async def test_an_upload_that_was_not_put_is_no_input(
    buy: Buy, key: str, admin: httpx.AsyncClient
) -> None:
    root = f"http://{admin.base_url.netloc.decode()}"
    begun = await admin.post(f"{root}{INITIATE}", json={}, headers={"Authorization": f"Key {key}"})

    found = issue(await buy(key, EDIT, image_urls=[begun.json()["file_url"]]))

    assert found["type"] == "file_download_error"


BOMB = picture(size=(9_000, 9_000), mode="1", colour="white")
BAD = {
    "HTML": (b"<html><script>1</script></html>", "unsupported_image_format"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_image_format"),
    "GIF": (picture(kind="GIF"), "unsupported_image_format"),
    "nothing": (b"", "unsupported_image_format"),
    "half a picture": (picture()[:60], "image_load_error"),
    "a bomb": (BOMB, "image_too_large"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_picture_is_refused_before_money(
    name: str, buy: Buy, key: str, admin: httpx.AsyncClient, team: str
) -> None:
    data, kind = BAD[name]
    assert len(data) < 100_000
    found = issue(await buy(key, EDIT, image_urls=[inline(picture()), inline(data)]))

    assert (found["type"], found["loc"]) == (kind, ["body", "image_urls", 1])
    assert found["url"] == f"https://docs.fal.ai/errors#{kind}"
    (standing, *_) = (await admin.get(f"/accounts/team:{team}")).json()
    assert (standing["spent_usd"], standing["held_usd"]) == ("0.00", "0.00")


async def test_nothing_of_an_input_is_in_the_log_or_in_metrics(
    buy: Buy, key: str, upload: Any, administered: Any
) -> None:
    url = await upload(key, picture("pink"))
    secret = "https://elsewhere.example/private/path.png?token=canary-of-inputs"
    await buy(key, EDIT, image_urls=[url])
    refused = await buy(key, EDIT, image_urls=[secret])
    await buy(key, f"/queue{EDIT}", image_urls=[secret])
    async with administered.client() as client:
        metrics = (await client.get("/metrics")).text
    log = administered.log.read_text()

    assert "canary-of-inputs" not in refused.text
    for text in (log, metrics):
        assert "canary-of-inputs" not in text
        assert url.rpartition("/")[2] not in text
        assert not re.search(r"image/png;base64,[A-Za-z0-9+/]{20}", text)

"""Input pictures over HTTP: sent in every way, and refused in fal's words before money."""

import base64
import io
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from PIL import Image

EDIT, OLD_EDIT = "/openai/gpt-image-2/edit", "/fal-ai/gpt-image-1.5/edit"
EDITS = [
    EDIT,
    OLD_EDIT,
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


async def test_the_same_picture_is_the_same_in_whatever_way_it_comes(
    buy: Buy, key: str, upload: Any
) -> None:
    data = picture("green")
    first = await buy(key, EDIT, image_urls=[inline(data)])
    served = first.json()["images"][0]["url"]
    others = [await upload(key, data), await upload(key, data), inline(data, "text/plain")]

    assert first.headers["x-falgate-cache"] == "miss"
    for url in others:
        assert (await buy(key, EDIT, image_urls=[url])).headers["x-falgate-cache"] == "hit"
    # A picture that falgate made is an input like others.
    assert (await buy(key, EDIT, image_urls=[served])).headers["x-falgate-cache"] == "miss"
    assert (await buy(key, EDIT, image_urls=[served])).headers["x-falgate-cache"] == "hit"


async def test_other_bytes_another_order_and_a_mask_are_other_requests(buy: Buy, key: str) -> None:
    red, blue = inline(picture("red")), inline(picture("blue"))
    asked: list[dict[str, Any]] = [
        {"image_urls": [red]},
        {"image_urls": [blue]},
        {"image_urls": [red, blue]},
        {"image_urls": [blue, red]},
        {"image_urls": [red], "mask_url": blue},
    ]

    for arguments in asked:
        assert (await buy(key, EDIT, **arguments)).headers["x-falgate-cache"] == "miss"
    for arguments in asked:
        assert (await buy(key, EDIT, **arguments)).headers["x-falgate-cache"] == "hit"


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


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/x.png",
        "http://v3b.fal.media/x.png",
        "https://127.0.0.1/x.png",
        "https://169.254.169.254/x.png",
        "file:///etc/passwd",
        f"sha256:{'0' * 64};60x40;image/png",
        "data:image/png;base64,====",
        "https://gateway.example/inputs/" + "0" * 32,
        "",
    ],
)
async def test_where_nothing_may_be_read_from_is_refused(url: str, buy: Buy, key: str) -> None:
    found = issue(await buy(key, EDIT, image_urls=[url]))

    assert found["type"] == "file_download_error"
    assert found["loc"] == ["body", "image_urls", 0]


@pytest.mark.parametrize(("number", "kind"), [(0, "sequence_too_short"), (17, "sequence_too_long")])
async def test_there_are_one_to_sixteen(number: int, kind: str, buy: Buy, key: str) -> None:
    found = issue(await buy(key, EDIT, image_urls=[inline(picture())] * number))

    assert (found["type"], found["loc"]) == (kind, ["body", "image_urls"])
    sixteen = await buy(key, EDIT, image_urls=[inline(picture())] * 16)
    assert sixteen.status_code == 200


async def test_a_mask_is_as_large_as_the_first_picture(buy: Buy, key: str) -> None:
    urls, small = [inline(picture())], inline(picture(size=(30, 20)))
    found = issue(await buy(key, EDIT, image_urls=urls, mask_url=small))

    assert found["loc"] == ["body", "mask_url"]
    assert "60x40, not 30x20" in found["msg"]
    jpeg = inline(picture(kind="JPEG"))
    assert issue(await buy(key, EDIT, image_urls=urls, mask_url=jpeg))["type"] == (
        "unsupported_image_format"
    )
    fitting = inline(picture("white"))
    assert (await buy(key, EDIT, image_urls=urls, mask_url=fitting)).status_code == 200
    old = await buy(key, OLD_EDIT, image_urls=urls, mask_image_url=small)
    assert issue(old)["loc"] == ["body", "mask_image_url"]


async def test_an_upload_is_for_the_keys_of_its_app(
    buy: Buy, key: str, hire: Hire, upload: Any, admin: httpx.AsyncClient
) -> None:
    url = await upload(key, picture("purple"))
    colleague = await hire()
    team = colleague["record"]["team"]
    made = await admin.post(f"/teams/{team}/apps", json={"name": "other"})
    assert made.status_code == 201
    stranger = (await hire(app="other"))["key"]

    found = issue(await buy(stranger, EDIT, image_urls=[url]))
    assert found["type"] == "file_download_error"
    assert (await buy(colleague["key"], EDIT, image_urls=[url])).status_code == 200


async def test_an_upload_is_served_to_nobody(
    key: str, upload: Any, team: str, administered: Any
) -> None:
    url = await upload(key, picture("teal"))
    (name,) = [each.name for each in (administered.data / "media" / "inputs" / team).rglob("*.png")]
    async with administered.client() as client:
        client.headers["Authorization"] = f"Key {key}"
        assert (await client.get(url)).status_code == 404
        for path in (name, f"inputs/{team}/app/{name}", f"..%2finputs%2f{team}%2fapp%2f{name}"):
            assert (await client.get(f"/pictures/{path}")).status_code == 404


async def test_an_upload_is_put_once_and_as_it_was_announced(key: str, administered: Any) -> None:
    async with administered.client() as client:
        headers = {"Authorization": f"Key {key}"}
        body = {"content_type": "image/png", "file_name": "x.png"}
        begun = (await client.post(INITIATE, json=body, headers=headers)).json()
        del client.headers["Authorization"]
        url = begun["upload_url"]

        async def put(content: bytes, content_type: str = "image/png") -> int:
            sent = await client.put(url, content=content, headers={"Content-Type": content_type})
            return sent.status_code

        assert await put(picture(), "image/jpeg") == 422
        assert await put(picture()) == 200
        assert await put(picture()) == 404
        guess = url.rpartition("/")[0] + "/" + "0" * 32
        assert (await client.put(guess, content=picture())).status_code == 404
        assert (await client.post(INITIATE, json=body)).status_code == 401


async def test_a_key_may_be_limited_in_number_and_bytes(buy: Buy, hire: Hire) -> None:
    few = (await hire(permissions={"inputs_max": 1}))["key"]
    small = (await hire(permissions={"input_bytes_max": 2 * len(picture())}))["key"]
    one = inline(picture())

    assert (await buy(few, EDIT, image_urls=[one])).status_code == 200
    refused = await buy(few, EDIT, image_urls=[one, one])
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "This key may use 1 input pictures at once, not 2",
    )  # fmt: skip
    assert (await buy(few, EDIT, image_urls=[one], mask_url=one)).status_code == 403
    assert (await buy(small, EDIT, image_urls=[one, one])).status_code == 200
    refused = await buy(small, EDIT, image_urls=[one, one, one])
    assert refused.status_code == 403
    assert "bytes together" in refused.json()["detail"]


async def test_fal_gets_falgates_copy_and_no_url_of_the_caller(
    buy: Buy, key: str, upload: Any, administered: Any
) -> None:
    """The sandbox keeps what it was sent."""
    url = await upload(key, picture("orange"))
    assert (await buy(key, EDIT, image_urls=[url, inline(picture("orange"))])).status_code == 200
    kept = [each for each in (administered.data / "sandbox").rglob("*") if each.is_file()]
    sent = [text for each in kept if b"image_urls" in (text := each.read_bytes())]

    assert sent
    for text in sent:
        assert b"/files/u/" in text
        assert url.rpartition("/")[2].encode() not in text
        assert b"data:image" not in text


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

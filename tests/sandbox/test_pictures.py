import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from PIL import Image

from falgate.sandbox.behaviour import Behaviour

Serve = Callable[..., httpx.Client]
AT_ONCE = Behaviour(work_s=0)


def urls(client: httpx.Client, **arguments: Any) -> list[str]:
    body = {"prompt": "a fox in the snow", **arguments}
    reply = client.post("/run/fal-ai/gpt-image-1.5", json=body)
    assert reply.status_code == 200
    return [file["url"] for file in reply.json()["images"]]


@pytest.mark.parametrize("extension", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(1024, 1024), (1536, 1024), (1024, 1536)])
def test_a_picture_has_the_size_and_format_asked_for(
    serve: Serve, size: tuple[int, int], extension: str
) -> None:
    client = serve(behaviour=AT_ONCE)
    asked = {"image_size": f"{size[0]}x{size[1]}", "output_format": extension}
    reply = client.get(urls(client, **asked)[0])
    picture = Image.open(BytesIO(reply.content))
    assert reply.headers["content-type"] == f"image/{extension}"
    assert (picture.size, picture.format) == (size, extension.upper())


@pytest.mark.parametrize("extension", ["png", "webp"])
def test_a_transparent_picture_has_clear_corners_and_a_solid_middle(
    serve: Serve, extension: str
) -> None:
    client = serve(behaviour=AT_ONCE)
    url = urls(client, background="transparent", output_format=extension)[0]
    picture = Image.open(BytesIO(client.get(url).content))
    assert picture.mode == "RGBA"
    alpha = picture.getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert alpha.getpixel((512, 512)) == 235


@pytest.mark.parametrize(
    "asked",
    [
        {"background": "opaque"},
        {"background": "auto"},
        {"background": "transparent", "output_format": "jpeg"},
    ],
)
def test_any_other_picture_is_opaque(serve: Serve, asked: dict[str, str]) -> None:
    client = serve(behaviour=AT_ONCE)
    picture = Image.open(BytesIO(client.get(urls(client, **asked)[0]).content))
    assert picture.mode == "RGB"


def test_the_pictures_of_one_request_differ(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    found = {client.get(url).content for url in urls(client, num_images=4)}
    assert len(found) == 4


def test_the_same_input_gives_the_same_pictures_from_any_sandbox(serve: Serve) -> None:
    first, second = serve(behaviour=AT_ONCE), serve(behaviour=AT_ONCE)
    assert first.get(urls(first)[0]).content == second.get(urls(second)[0]).content


def test_the_same_input_again_gives_other_pictures_as_it_would_at_fal(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    bought = [client.get(urls(client, num_images=n)[0]).content for n in (1, 1, 2, 1)]
    assert len(set(bought)) == 4


def test_another_prompt_gives_another_picture(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    one, other = urls(client, prompt="a")[0], urls(client, prompt="b")[0]
    assert client.get(one).content != client.get(other).content


def test_each_request_has_its_own_pictures_where_the_dials_say_so(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, repeatable=False))
    one, other = urls(client)[0], urls(client)[0]
    assert client.get(one).content != client.get(other).content
    assert client.get(one).content == client.get(one).content


def test_sync_mode_puts_the_same_picture_into_the_answer(serve: Serve) -> None:
    client, other = serve(behaviour=AT_ONCE), serve(behaviour=AT_ONCE)
    inline = urls(client, sync_mode=True, output_format="webp")[0]
    linked = other.get(urls(other, output_format="webp")[0]).content
    head, _, encoded = inline.partition(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(encoded, validate=True) == linked


@pytest.mark.parametrize("prompt", ["", "x" * 30_000, "狐狸\n\t\x00 🦊", " \n "])
def test_any_prompt_can_be_drawn(serve: Serve, prompt: str) -> None:
    client = serve(behaviour=AT_ONCE)
    reply = client.get(urls(client, prompt=prompt)[0])
    assert Image.open(BytesIO(reply.content)).size == (1024, 1024)


def test_a_picture_needs_no_key(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    assert httpx.get(urls(client)[0], timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("name", ["1.png", "0.webp", "x.png", "-1.png"])
def test_a_picture_that_was_not_made_is_not_found(serve: Serve, name: str) -> None:
    client = serve(behaviour=AT_ONCE)
    place = urls(client)[0].rpartition("/")[0]
    assert client.get(f"{place}/{name}").status_code == 404


def test_there_is_no_picture_before_the_request_has_ended(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=60))
    accepted = client.post("/queue/fal-ai/gpt-image-1.5", json={"prompt": "a"}).json()
    assert client.get(f"/files/b/{accepted['request_id']}/0.png").status_code == 404

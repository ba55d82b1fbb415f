"""Pictures that fal's own clients upload, encode or hold in the input are the same picture."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from PIL import Image

EDITS = [
    "openai/gpt-image-2/edit",
    "openai/gpt-image-2.5/flare/edit",
    "openai/gpt-image-2.5/sunburst/edit",
    "fal-ai/gpt-image-1.5/edit",
]

Answers = list[dict[str, Any]]
Drive = Callable[[Any, Answers], Answers]
Start = Callable[..., AbstractContextManager[Any]]


class World(NamedTuple):
    """A running gateway, and what clients are told of it."""

    gateway: Any
    target: Any


@pytest.fixture(scope="module")
def world(start: Start, reach: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("uploads")
    with start(folder / "data", folder) as gateway, reach(gateway) as target:
        yield World(gateway, target)


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """A prompt of this test and client alone."""
    return f"an edit for {request.node.name}"


@pytest.fixture
def is_python(request: pytest.FixtureRequest) -> bool:
    """Whether the client is Python's."""
    return "python" in request.node.name


def picture(colour: str = "red") -> str:
    """A PNG, as base64."""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def upload(data: str, content_type: str = "image/png") -> dict[str, Any]:
    """An upload by a client."""
    return {"call": "upload", "data": data, "content_type": content_type}


def run(model: str, prompt: str, **arguments: Any) -> dict[str, Any]:
    """A call of a client."""
    arguments = {"prompt": prompt, "quality": "low", **arguments}
    return {"call": "run", "model": model, "arguments": arguments}


def images(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The pictures of an answer, which JavaScript has beside the request's id."""
    assert answer["ok"], answer
    found: list[dict[str, Any]] = answer["result"].get("data", answer["result"])["images"]
    return found


@pytest.mark.parametrize("model", EDITS)
def test_what_a_client_uploads_is_edited_and_paid_for_once(
    model: str, drive: Drive, world: World, prompt: str
) -> None:
    data = picture()
    first, second = (answer["result"] for answer in drive(world.target, [upload(data)] * 2))
    assert first.startswith((world.gateway.url, f"https://{world.gateway.tls}"))
    assert first != second
    inline = f"data:image/png;base64,{data}"
    one, two, three = drive(
        world.target, [run(model, prompt, image_urls=[url]) for url in (first, second, inline)]
    )

    assert len(images(one)) == 1
    assert images(one) == images(two) == images(three)


def test_pictures_in_the_input_are_found_by_the_client(
    drive: Drive, world: World, prompt: str, *, is_python: bool
) -> None:
    data = picture("green")
    if is_python:
        call = {"call": "encode", "data": data, "content_type": "image/png"}
        (encoded,) = drive(world.target, [call])
        (edited,) = drive(world.target, [run(EDITS[0], prompt, image_urls=[encoded["result"]])])
    else:
        call = run(EDITS[0], prompt) | {"call": "edit", "content_type": "image/png"}
        (edited,) = drive(world.target, [call | {"blobs": [data, picture("white")]}])

    assert len(images(edited)) == 1


def test_an_input_that_cannot_be_read_is_told_with_its_place(
    drive: Drive, world: World, prompt: str
) -> None:
    (answer,) = drive(
        world.target, [run(EDITS[0], prompt, image_urls=["https://elsewhere.example/x.png"])]
    )

    assert (answer["ok"], answer["status"]) == (False, 422)
    (problem,) = answer["body"]["detail"]
    assert (problem["type"], problem["loc"]) == ("file_download_error", ["body", "image_urls", 0])

"""Reading inputs of a model that allows less than others, and of one whose picture is optional."""
# ruff: noqa: D102 - the ports say what their methods do

import base64
import hashlib
import io
import json
from typing import Any

import msgspec
import pytest
from PIL import Image
from redis.asyncio import Redis

from falgate.accounts.apikey import KeyRecord
from falgate.core.errors import InputRejected
from falgate.core.input_picture import input_picture
from falgate.inputs.files import InputFileStore
from falgate.inputs.reader import InputReader
from falgate.inputs.store.records import InputRecords
from falgate.inputs.uploads import Uploads
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec
from falgate.pictures.convert import Converter
from falgate.pictures.intake import PictureIntake
from falgate.pictures.storage import PictureStore

SPEC = MODELS["openai/gpt-image-2/edit"]
KEY = KeyRecord(id="k", kind="live", digest="", team="web", app="shop", name="", created_s=0)


def picture(colour: str = "red", kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(file, kind)
    return file.getvalue()


def inline(data: bytes) -> str:
    return f"data:;base64,{base64.b64encode(data).decode()}"


class Links:
    """Pictures that are served by anybody's link; there are none."""

    signs = False

    def __init__(self, store: PictureStore) -> None:
        self.source = store

    def left_s(self, *_: str) -> int | None:
        raise AssertionError("no link is signed")


class World:
    """A reader, and the uploads of one app."""

    def __init__(self, redis: Redis) -> None:
        self.records = InputRecords(redis, kept_s=60)
        store = PictureStore("memory://")
        files = InputFileStore(store, self.records, PictureIntake(store, Converter(80)))
        self.uploads = Uploads(self.records, files)
        self.reader = InputReader(self.records, files, Links(store), bytes_max=1_000_000)

    async def uploaded(self, data: bytes) -> str:
        return f"https://gateway.example/inputs/{await self.uploads.store(KEY, data)}"

    async def read(self, spec: ModelSpec, *urls: str, **given: Any) -> Any:
        body = {"prompt": "a fox", "image_urls": urls, **given}
        arguments = read(spec, json.dumps(body).encode(), "application/json").arguments
        return await self.reader.read(KEY, spec, arguments)


@pytest.fixture
def world(redis: Redis) -> World:
    return World(redis)


def narrowed(**changes: Any) -> ModelSpec:
    """The model, which allows less of its pictures."""
    pictures, mask = SPEC.inputs
    changed = msgspec.structs.replace(pictures, **changes)
    return msgspec.structs.replace(SPEC, inputs=(changed, mask))


@pytest.mark.parametrize("way", ["inline", "uploaded"])
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"bytes_max": 40}, "file_too_large"),
        ({"types": ("image/jpeg",)}, "unsupported_image_format"),
    ],
)
async def test_what_a_model_allows_holds_whichever_way_a_picture_comes(
    way: str, changes: dict[str, Any], kind: str, world: World
) -> None:
    url = inline(picture()) if way == "inline" else await world.uploaded(picture())

    with pytest.raises(InputRejected) as refused:
        await world.read(narrowed(**changes), url)

    (issue,) = refused.value.issues
    assert (issue["type"], issue["loc"]) == (kind, ["body", "image_urls", 0])


async def test_what_was_read_is_its_hash_its_size_and_its_type(world: World) -> None:
    data = picture(kind="WEBP")

    arguments = await world.read(SPEC, inline(data), await world.uploaded(data))

    (first, second) = map(input_picture, arguments.image_urls)
    assert first is not None
    assert first == second
    assert (first.sha256, first.width, first.height, first.content_type) == (
        hashlib.sha256(data).hexdigest(),
        20,
        10,
        "image/webp",
    )


async def test_a_mask_without_a_picture_has_no_size_to_be_of(world: World) -> None:
    optional = narrowed(least=0)

    arguments = await world.read(optional, mask_url=inline(picture()))

    assert input_picture(arguments.mask_url) is not None


async def test_the_first_problem_of_several_is_told(world: World) -> None:
    bad = [inline(b"<html>"), "https://elsewhere.example/x?secret", inline(picture()[:50])]

    with pytest.raises(InputRejected) as refused:
        await world.read(SPEC, inline(picture()), *bad)

    (issue,) = refused.value.issues
    assert (issue["type"], issue["loc"][-1]) == ("unsupported_image_format", 1)

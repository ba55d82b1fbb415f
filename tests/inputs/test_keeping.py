"""Input pictures are kept for their app for a time, and sent once for each upstream."""
# ruff: noqa: D102 - the ports say what their methods do

import hashlib
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.accounts.directory import App, Directory, Team
from falgate.core.errors import Unavailable
from falgate.core.input_picture import InputPicture
from falgate.core.picture import Kept
from falgate.fal.storage import UploadFailed
from falgate.inputs.files import InputFileStore, InputSweeper
from falgate.inputs.sender import InputSender, InputsUnsent
from falgate.inputs.store.records import InputRecords
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.pictures.storage import PictureStore

SPEC = MODELS["openai/gpt-image-2/edit"]
APP, OTHER = "web/shop", "web/other"


class Intake:
    """Anything is a picture, and there is always room."""

    async def examine(self, data: bytes, _: int) -> Kept:
        return Kept(hashlib.sha256(data).hexdigest(), "image/png", len(data), 8, 8)

    async def ready(self) -> None: ...


class Storage:
    """An upstream's storage, which fails when told."""

    def __init__(self) -> None:
        self.uploads: list[bytes] = []
        self.fails = False

    async def upload(self, data: bytes, content_type: str, name: str) -> str:
        if self.fails:
            raise UploadFailed("refused")
        assert content_type == "image/png"
        self.uploads.append(data)
        return f"https://v3.fal.media/{len(self.uploads)}/{name}"


class World:
    """A store, its records, and an upstream."""

    def __init__(self, redis: Redis) -> None:
        self.store = PictureStore("memory://")
        self.records = InputRecords(redis, kept_s=60)
        self.files = InputFileStore(self.store, self.records, Intake())
        self.storage = Storage()
        self.sender = InputSender(self.records, self.files, {"fal": self.storage})

    async def sweep(self, *apps: str, kept_s: int) -> None:
        directory = Directory(1, {"web": Team()}, {name: App() for name in apps})

        async def known() -> Directory:
            return directory

        await InputSweeper(self.records, self.files, known, kept_s=kept_s).sweep()


@pytest.fixture
def world(redis: Redis) -> World:
    return World(redis)


def body(*pictures: InputPicture) -> dict[str, Any]:
    asked = {"prompt": "a fox", "image_urls": [str(each) for each in pictures]}
    arguments = read(SPEC, json.dumps(asked).encode(), "application/json").arguments
    return SPEC.purchase(arguments, 1)


async def test_a_picture_is_its_apps_alone(world: World) -> None:
    picture, size_bytes = await world.files.keep(APP, b"one", 100)

    assert (await world.files.read(APP, picture), size_bytes) == (b"one", 3)
    assert await world.files.read(OTHER, picture) is None
    with pytest.raises(InputsUnsent, match="not stored"):
        await world.sender.sent("fal", OTHER, SPEC, body(picture))


async def test_what_is_in_use_stays_and_the_rest_is_swept(world: World) -> None:
    picture, _ = await world.files.keep(APP, b"one", 100)

    await world.sweep(APP, kept_s=3_600)
    assert await world.files.read(APP, picture) == b"one"
    await world.sweep(APP, kept_s=0)
    assert await world.files.read(APP, picture) is None
    assert await world.records.apps() == []


async def test_those_of_an_app_that_was_removed_are_swept_at_once(world: World) -> None:
    mine, _ = await world.files.keep(APP, b"one", 100)
    theirs, _ = await world.files.keep(OTHER, b"one", 100)

    await world.sweep(APP, kept_s=3_600)

    assert await world.files.read(APP, mine) == b"one"
    assert await world.files.read(OTHER, theirs) is None


async def test_what_is_being_deleted_cannot_be_used_until_that_is_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.inputs.files._AGAIN_S", 0.001)
    await world.files.keep(APP, b"one", 100)
    names = await world.records.mark(APP, unused_s=0)

    with pytest.raises(Unavailable, match="being deleted"):
        await world.files.keep(APP, b"one", 100)

    assert await world.records.drop(APP, names) == 0
    assert (await world.files.keep(APP, b"one", 100)).size_bytes == 3


async def test_a_picture_is_uploaded_once_and_its_purchase_can_be_told_again(world: World) -> None:
    one, two = [(await world.files.keep(APP, data, 100)).picture for data in (b"one", b"two")]
    asked = body(one, two, one)
    assert await world.sender.recalled("fal", SPEC, asked) is None

    first = await world.sender.sent("fal", APP, SPEC, asked)
    again = await world.sender.sent("fal", APP, SPEC, asked)

    assert first == again == await world.sender.recalled("fal", SPEC, asked)
    assert sorted(world.storage.uploads) == [b"one", b"two"]
    urls = first["image_urls"]
    assert urls[0] == urls[2] != urls[1]
    assert {**first, "image_urls": asked["image_urls"]} == asked


async def test_an_upload_that_fails_is_told_and_not_remembered(world: World) -> None:
    picture, _ = await world.files.keep(APP, b"one", 100)
    world.storage.fails = True
    with pytest.raises(InputsUnsent, match="could not be uploaded"):
        await world.sender.sent("fal", APP, SPEC, body(picture))
    world.storage.fails = False

    assert await world.sender.sent("fal", APP, SPEC, body(picture))

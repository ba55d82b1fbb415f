"""Input pictures of apps in Redis, and their files: kept while they are used, and swept."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from redis.asyncio import Redis

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Directory
from falgate.core.errors import TooMany
from falgate.core.picture import NotAPicture
from falgate.inputs.files import InputFileStore, InputSweeper
from falgate.inputs.store import records as module
from falgate.inputs.store.records import InputRecords
from falgate.inputs.uploads import UploadRefused, Uploads, UploadUnknown
from falgate.models.input_files import PIXELS_MAX
from falgate.pictures.convert import Converter
from falgate.pictures.intake import PictureIntake
from falgate.pictures.storage import PictureStore
from falgate.redis import picture_keys

KEPT_S = 3_600
SHOP, BLOG = "web/shop", "web/blog"
KEY = KeyRecord(id="k", kind="live", digest="", team="web", app="shop", name="", created_s=0)


def picture(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def store(media: Path) -> PictureStore:
    media.mkdir()
    return PictureStore(media.as_uri())


@pytest.fixture
def records(redis: Redis) -> InputRecords:
    return InputRecords(redis, kept_s=KEPT_S)


@pytest.fixture
def files(store: PictureStore, records: InputRecords) -> InputFileStore:
    return InputFileStore(store, records, PictureIntake(store, Converter(80)))


@pytest.fixture
def sweeper(records: InputRecords, files: InputFileStore) -> Callable[..., InputSweeper]:
    """A sweeper, given the apps that there are."""

    def made(*apps: str, kept_s: int = KEPT_S) -> InputSweeper:
        async def directory() -> Directory:
            return Directory(1, {}, dict.fromkeys(apps, App()))

        return InputSweeper(records, files, directory, kept_s=kept_s)

    return made


def kept(media: Path) -> list[str]:
    found = (media / "inputs").rglob("*")
    return sorted(str(each.relative_to(media)) for each in found if each.is_file())


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"])
async def test_what_is_no_picture_leaves_nothing(
    data: bytes, files: InputFileStore, media: Path, records: InputRecords
) -> None:
    with pytest.raises(NotAPicture):
        await files.keep(SHOP, data, PIXELS_MAX)
    assert kept(media) == []
    assert await records.apps() == []


async def test_what_is_not_used_for_a_time_is_deleted_and_the_rest_stays(
    files: InputFileStore,
    sweeper: Callable[..., InputSweeper],
    redis: Redis,
    media: Path,
    records: InputRecords,
) -> None:
    old = (await files.keep(SHOP, picture("red"), PIXELS_MAX)).picture
    new = (await files.keep(SHOP, picture("blue"), PIXELS_MAX)).picture
    await redis.zadd(picture_keys.inputs(SHOP), {old.name: 1})
    await sweeper(SHOP).sweep()

    assert kept(media) == [f"inputs/{SHOP}/{new.name}"]
    assert await files.read(SHOP, old) is None
    assert await records.apps() == [SHOP]
    await redis.zadd(picture_keys.inputs(SHOP), {new.name: 1})
    await sweeper(SHOP).sweep()
    assert kept(media) == []
    assert await records.apps() == []


async def test_a_deletion_that_died_halfway_is_void_after_a_time(
    files: InputFileStore, records: InputRecords, redis: Redis
) -> None:
    stored = (await files.keep(SHOP, picture(), PIXELS_MAX)).picture
    await asyncio.sleep(0.005)
    await records.mark(SHOP, unused_s=0)
    await redis.zadd(picture_keys.inputs(SHOP), {stored.name: -1})

    assert await records.note(SHOP, stored) == "noted"
    assert await records.drop(SHOP, [stored.name]) == 1, "it is in use again"


async def test_an_app_has_only_so_many(
    files: InputFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INPUTS_MAX", 1)
    await files.keep(SHOP, picture("red"), PIXELS_MAX)
    await files.keep(SHOP, picture("red"), PIXELS_MAX)

    with pytest.raises(TooMany, match="too many input pictures"):
        await files.keep(SHOP, picture("blue"), PIXELS_MAX)
    await files.keep(BLOG, picture("blue"), PIXELS_MAX)


async def test_an_upload_is_put_once_as_it_was_announced(
    files: InputFileStore, records: InputRecords
) -> None:
    uploads = Uploads(records, files)
    token, upload_id = await uploads.announce(KEY, "image/png")

    with pytest.raises(UploadRefused, match="announced as image/png"):
        await uploads.ticket(token, "image/jpeg")
    ticket = await uploads.ticket(token, "image/png")
    await uploads.put(token, ticket, picture())
    upload = await records.upload(upload_id)
    assert upload is not None
    assert upload.app == SHOP
    with pytest.raises(UploadUnknown):
        await uploads.ticket(token, "image/png")
    with pytest.raises(UploadUnknown):
        await uploads.put(token, ticket, picture())


async def test_an_upload_of_anything_else_is_refused(
    files: InputFileStore, records: InputRecords
) -> None:
    uploads = Uploads(records, files)
    token, upload_id = await uploads.announce(KEY, "image/png")
    ticket = await uploads.ticket(token, "image/png")

    with pytest.raises(UploadRefused, match="Only input pictures can be uploaded"):
        await uploads.put(token, ticket, b"%PDF-1.7")
    assert await records.upload(upload_id) is None


async def test_ids_of_uploads_cannot_be_guessed_and_end_by_themselves(
    records: InputRecords, redis: Redis, files: InputFileStore
) -> None:
    uploads = Uploads(records, files)
    announced: list[Any] = [await uploads.announce(KEY, "image/png") for _ in range(20)]

    every = [part for each in announced for part in each]
    assert len(set(every)) == 40
    assert {len(part) for part in every} == {32}
    for token, _ in announced:
        assert 0 < await redis.ttl(picture_keys.ticket(token)) <= 600


async def test_an_app_has_only_so_many_uploads_and_tokens_at_once(
    files: InputFileStore,
    records: InputRecords,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ISSUED_MAX", 3)
    uploads = Uploads(records, files)
    await uploads.announce(KEY, "image/png")
    await uploads.store(KEY, picture())
    await uploads.grant(KEY)
    issued = picture_keys.issued(SHOP)

    for refused in (
        uploads.announce(KEY, "image/png"),
        uploads.store(KEY, picture()),
        uploads.grant(KEY),
    ):
        with pytest.raises(TooMany, match="too many uploads"):
            await refused
    assert KEPT_S * 1000 < await redis.pttl(issued) <= (KEPT_S + module.TICKET_S) * 1000
    first, _, _ = map(str, await redis.zrange(issued, 0, -1))
    await redis.zadd(issued, {first: 1})
    await uploads.announce(KEY, "image/png")

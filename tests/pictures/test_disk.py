"""Files on a disk: nothing that somebody else has put there is followed, read or waited for."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from falgate.core.errors import StoreUnavailable
from falgate.pictures.storage import PictureStore

DATA = b"0123456789"
NAME = f"{hashlib.sha256(DATA).hexdigest()}.png"
SECRET = b"root:x:0:0"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is none of the store's."""
    path = tmp_path / "passwd"
    path.write_bytes(SECRET)
    return path


def untouched(secret: Path) -> None:
    assert secret.read_bytes() == SECRET


def elsewhere_by_link(pictures: Path, target: Path) -> None:
    """A folder with a picture, in the place of the store's own."""
    target.mkdir()
    (target / NAME).write_bytes(DATA)
    pictures.rmdir()
    pictures.symlink_to(target)


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore((tmp_path / "media").as_uri())


@pytest.fixture
def pictures(tmp_path: Path, store: PictureStore) -> Path:
    """Where its pictures are."""
    asyncio.run(store.check())
    folder = tmp_path / "media" / "pictures"
    folder.mkdir(mode=0o700)
    return folder


async def test_a_link_in_a_pictures_place_is_not_there(
    store: PictureStore, pictures: Path, secret: Path
) -> None:
    (pictures / NAME).symlink_to(secret)

    assert await store.size(NAME) is None
    assert await store.read(NAME) is None
    assert await store.read(NAME, 1, 5) is None


async def test_a_picture_takes_the_place_of_a_link_and_leaves_its_target(
    store: PictureStore, pictures: Path, secret: Path
) -> None:
    (pictures / NAME).symlink_to(secret)

    await store.put(DATA, NAME)

    assert await store.read(NAME) == DATA
    assert not (pictures / NAME).is_symlink()
    untouched(secret)


async def test_removing_removes_the_link_and_leaves_its_target(
    store: PictureStore, pictures: Path, secret: Path
) -> None:
    (pictures / NAME).symlink_to(secret)

    await store.delete(NAME)

    assert not (pictures / NAME).is_symlink()
    untouched(secret)


async def test_a_folder_that_is_a_link_is_a_store_that_cannot_be_asked(
    store: PictureStore, pictures: Path, tmp_path: Path
) -> None:
    elsewhere_by_link(pictures, tmp_path / "elsewhere")

    for asked in (store.size(NAME), store.read(NAME), store.put(DATA, NAME), store.delete(NAME)):
        with pytest.raises(StoreUnavailable):
            await asked
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [NAME]


async def test_archives_and_the_check_follow_none_either(
    store: PictureStore, secret: Path, tmp_path: Path
) -> None:
    (tmp_path / "media" / "check").symlink_to(secret)
    (tmp_path / "media" / "ledger").symlink_to(tmp_path)

    await store.check()

    untouched(secret)
    with pytest.raises(StoreUnavailable):
        await store.put_file("ledger/passwd", DATA, "application/gzip")
    with pytest.raises(StoreUnavailable):
        await store.read_file("ledger/passwd")


async def test_what_is_no_plain_file_is_not_there_and_is_not_waited_for(
    store: PictureStore, pictures: Path
) -> None:
    os.mkfifo(pictures / NAME)

    async with asyncio.timeout(10):
        assert await store.read(NAME) is None
        assert await store.size(NAME) is None


async def test_the_directory_itself_may_be_somewhere_else(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "media").symlink_to(tmp_path / "disk")
    store = PictureStore((tmp_path / "media").as_uri())

    await store.put(DATA, NAME)

    assert (tmp_path / "disk" / "pictures" / NAME).read_bytes() == DATA
    untouched(secret)


async def test_what_it_makes_is_for_its_owner_only(store: PictureStore, tmp_path: Path) -> None:
    await store.put(DATA, NAME)
    await store.put_file("ledger/x/1.jsonl.gz", DATA, "application/gzip")

    assert {path.stat().st_mode & 0o77 for path in (tmp_path / "media").rglob("*")} == {0}

"""The picture store: the same on disk and in memory, atomic, and honest when it cannot be asked."""

import asyncio
import hashlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from buckets import BUCKET, Bucket, s3_server

from falgate.core.errors import StoreUnavailable, Unavailable
from falgate.pictures.storage import PictureStore

DATA = b"0123456789"
NAME = f"{hashlib.sha256(DATA).hexdigest()}.png"
OTHER = f"{'0' * 64}.webp"
ODD = {
    "traversal": "../secret",
    "traversal that ends well": f"../{NAME}",
    "escaped": f"%2e%2e%2f{NAME}",
    "absolute": "/etc/passwd",
    "null byte": f"{NAME}\0",
    "line feed": f"{NAME}\n",
    "upper case": NAME.upper(),
    "no extension": NAME.removesuffix(".png"),
    "another extension": NAME.replace(".png", ".svg"),
    "staging file": f"{NAME}#1",
    "nothing": "",
    "long": "a" * 100_000,
    "other digits": NAME.translate({ord("0"): "\u0660", ord("1"): "\u0661"}),
}
FILLS_UP = """
import asyncio, os, resource, sys
from falgate.pictures.storage import PictureStore, StoreUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    asyncio.run(PictureStore(sys.argv[1]).put(bytes(20_000), "0" * 64 + ".png"))
except StoreUnavailable:
    print("unavailable", flush=True)
# obstore's threads may still be at work, and abort an interpreter that ends under them.
os._exit(0)
"""


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real server."""
    with s3_server() as served:
        yield served


@pytest.fixture(params=["file", "memory", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PictureStore:
    if request.param != "s3":
        return PictureStore("memory://" if request.param == "memory" else f"file://{tmp_path}/made")
    served: Bucket = request.getfixturevalue("bucket")
    for name, value in served.env().items():
        monkeypatch.setenv(name, value)
    # A prefix of its own: the pictures of these tests have the same names.
    return PictureStore(f"s3://{BUCKET}/{tmp_path.parent.name}/{tmp_path.name}")


async def test_what_was_put_is_there_in_whole_and_in_part(store: PictureStore) -> None:
    assert await store.size(NAME) is None
    await store.put(DATA, NAME)
    assert await store.size(NAME) is not None
    assert await store.size(NAME) == 10
    assert await store.read(NAME) == DATA
    assert await store.read(NAME, 4) == b"456789"
    assert await store.read(NAME, 4, 6) == b"45"
    assert await store.read(NAME, 0, 1) == b"0"
    assert await store.read(NAME, 9, 999) == b"9"


async def test_a_repeat_changes_nothing(store: PictureStore) -> None:
    await store.put(DATA, NAME)
    await store.put(DATA, NAME)
    assert await store.read(NAME) == DATA


async def test_what_was_not_put_is_not_there(store: PictureStore) -> None:
    await store.put(DATA, NAME)
    assert await store.size(OTHER) is None
    assert await store.size(OTHER) is None
    assert await store.read(OTHER) is None
    assert await store.read(OTHER, 1, 2) is None


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
async def test_an_odd_name_is_not_there_and_cannot_be_put(store: PictureStore, name: str) -> None:
    await store.put(DATA, NAME)
    assert await store.size(name) is None
    assert await store.size(name) is None
    assert await store.read(name) is None
    with pytest.raises(AssertionError):
        await store.put(DATA, name)


async def test_what_is_deleted_is_not_there_and_again_is_no_trouble(store: PictureStore) -> None:
    await store.put(DATA, NAME)
    await store.delete(NAME)

    assert await store.read(NAME) is None
    await store.delete(NAME)
    with pytest.raises(AssertionError):
        await store.delete("check")


async def test_only_a_disk_has_so_much_room(tmp_path: Path) -> None:
    free = await PictureStore(tmp_path.as_uri()).free_bytes()

    assert free is not None
    assert free > 0
    assert await PictureStore("memory://").free_bytes() is None


async def test_a_file_outside_the_pictures_is_not_served(tmp_path: Path) -> None:
    store = PictureStore(f"file://{tmp_path}")
    (tmp_path / NAME).write_bytes(DATA)
    assert await store.read(NAME) is None


async def test_large_pictures_written_at_once_are_seen_whole_or_not_at_all(
    store: PictureStore,
) -> None:
    data = bytes(range(256)) * 40_000

    async def seen() -> AsyncIterator[bytes | None]:
        while not writing.done():
            yield await store.read(NAME)

    writing = asyncio.gather(*(store.put(data, NAME) for _ in range(4)))
    async for whole in seen():
        assert whole is None or whole == data
    await writing
    assert await store.read(NAME) == data


async def test_no_staging_file_stays(tmp_path: Path) -> None:
    store = PictureStore(f"file://{tmp_path}")
    await asyncio.gather(*(store.put(DATA, NAME) for _ in range(8)))
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == [NAME]


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLS_UP, f"file://{tmp_path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "unavailable\n"
    assert not list((tmp_path / "pictures").iterdir())


async def test_a_lost_directory_is_unavailable_rather_than_empty(tmp_path: Path) -> None:
    store = PictureStore(f"file://{tmp_path}/disk")
    await store.put(DATA, NAME)
    shutil.rmtree(tmp_path / "disk")
    with pytest.raises(StoreUnavailable):
        await store.size(NAME)
    with pytest.raises(StoreUnavailable):
        await store.read(NAME)


async def test_a_directory_that_became_something_else_is_unavailable(tmp_path: Path) -> None:
    store = PictureStore(f"file://{tmp_path}/disk")
    await store.check()
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "disk").write_text("")
    for asked in (store.size(NAME), store.read(NAME), store.put(DATA, NAME), store.check()):
        with pytest.raises(StoreUnavailable) as caught:
            await asked
        assert str(tmp_path) not in str(caught.value)


async def test_checking_finds_a_store_that_works_and_leaves_no_picture(store: PictureStore) -> None:
    await asyncio.gather(*(store.check() for _ in range(8)))
    assert await store.size("check") is None


def test_the_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    PictureStore(f"file://{tmp_path}/a/b%20c")
    assert (tmp_path / "a" / "b c").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/plain/path",
        "nope://bucket",
        "s3://",
        "http://[",
        "file:relative",
        "file://host/directory",
        "file:///directory?query",
        "file:///dev/null/below",
    ],
)
def test_a_bad_url_is_one_clear_line(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The picture store's URL does not work: .+") as no:
        PictureStore(url)
    assert "\n" not in str(no.value)
    assert "file:///directory" in str(no.value)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="set them in the environment") as caught:
        PictureStore("s3://someone:hunter2@bucket/prefix")
    assert "hunter2" not in str(caught.value)


def test_the_refusal_is_a_503_that_may_be_tried_again() -> None:
    refusal = StoreUnavailable()
    assert isinstance(refusal, Unavailable)
    assert refusal.status == 503
    assert refusal.headers()["Retry-After"] == "2"


async def test_a_disk_that_went_away_is_not_begun_anew(tmp_path: Path) -> None:
    said: list[str] = []
    store = PictureStore((tmp_path / "media").as_uri(), said.append)
    await store.put(b"bytes", NAME)
    shutil.rmtree(tmp_path / "media")

    for asked in (store.check(), store.put(b"bytes", NAME), store.size(NAME)):
        with pytest.raises(StoreUnavailable):
            await asked

    assert len(said) == 3
    assert all(
        line.startswith(("FileNotFoundError: ", "NotADirectoryError: the ")) for line in said
    )

    assert not (tmp_path / "media").exists()


async def test_a_disk_that_is_all_but_full_takes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PictureStore(tmp_path.as_uri())
    await store.check()
    monkeypatch.setattr("falgate.pictures.storage.FREE_BYTES_MIN", 10**18)

    with pytest.raises(StoreUnavailable):
        await store.check()

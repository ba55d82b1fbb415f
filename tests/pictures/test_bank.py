"""Banking: a delivery becomes a stored picture, a damaged one is lost, a full store is told."""

import asyncio
import io
import shutil
import threading
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from falgate.core.errors import StoreFull, StoreUnavailable
from falgate.core.picture import NotAPicture, Picture
from falgate.pictures.convert import Converter
from falgate.pictures.inspect import Examined, examine
from falgate.pictures.intake import PictureIntake
from falgate.pictures.storage import PictureStore


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "PNG")
    return buffer.getvalue()


def new_bank(directory: Path) -> PictureIntake:
    return PictureIntake(PictureStore(directory.as_uri()), Converter(95))


async def kept(bank: PictureIntake) -> Picture:
    found = await bank.examine(png(), 6)
    await bank.keep(png(), found)
    return Picture(made_s=0, **msgspec.structs.asdict(found))


async def test_what_is_kept_is_known_by_its_bytes(tmp_path: Path) -> None:
    bank = new_bank(tmp_path)

    picture = await kept(bank)

    assert (picture.content_type, picture.width, picture.height) == ("image/png", 3, 2)
    assert (tmp_path / "pictures" / picture.name).read_bytes() == png()
    assert await bank.whole(picture.name)


async def test_what_is_no_picture_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture):
        await new_bank(tmp_path).examine(b"<html>", 6)

    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize("length", [0, 10])
async def test_a_damaged_picture_is_not_whole(length: int, tmp_path: Path) -> None:
    bank = new_bank(tmp_path)
    picture = await kept(bank)
    file = tmp_path / "pictures" / picture.name

    file.write_bytes(file.read_bytes()[:length])

    assert await bank.whole(picture.name) is False


async def test_a_store_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    bank = new_bank(tmp_path / "media")
    shutil.rmtree(tmp_path / "media")

    with pytest.raises(StoreUnavailable):
        await bank.ready()


async def test_a_rush_looks_at_the_store_once(tmp_path: Path) -> None:
    bank = new_bank(tmp_path)
    await bank.ready()
    written_ns = (tmp_path / "check").stat().st_mtime_ns

    await bank.ready()

    assert (tmp_path / "check").stat().st_mtime_ns == written_ns


async def test_what_follows_a_picture_is_not_kept(tmp_path: Path) -> None:
    bank = new_bank(tmp_path)
    page = png() + b"<script>alert(1)</script>" + png()[-12:]

    found = await bank.examine(page, 6)
    await bank.keep(page, found)

    assert found == await bank.examine(png(), 6)
    assert (tmp_path / "pictures" / found.name).read_bytes() == png()
    assert await bank.whole(found.name)


async def test_few_pictures_are_decoded_at_once_however_many_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, under_way, most = new_bank(tmp_path), 0, 0
    guard, met = threading.Lock(), threading.Barrier(2)

    def decode(data: bytes, pixels_max: int) -> Examined:
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        met.wait(10)  # A third one would be counted before both are through.
        with guard:
            under_way -= 1
        return examine(data, pixels_max)

    monkeypatch.setattr("falgate.pictures.inspect.examine", decode)
    await asyncio.gather(*(bank.examine(png(), 6) for _ in range(12)))

    assert most == 2


async def test_a_stored_file_that_claims_more_pixels_than_it_had_is_not_converted(
    tmp_path: Path,
) -> None:
    converter = Converter(95)
    bank = PictureIntake(PictureStore(tmp_path.as_uri()), converter)
    picture = await kept(bank)
    larger = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(larger, "PNG")

    assert await bank.convert(picture, "image/jpeg")
    (tmp_path / "pictures" / picture.name).write_bytes(larger.getvalue())
    assert await bank.convert(picture, "image/jpeg") is None
    await converter.close()


class Slow:
    """A store whose check takes until it is let go, and then fails or does not."""

    def __init__(self, failure: Exception | None) -> None:
        self.checks, self.asked, self.go, self.failure = (
            0,
            asyncio.Event(),
            asyncio.Event(),
            failure,
        )

    async def check(self) -> None:
        """Count it."""
        self.checks += 1
        self.asked.set()
        await self.go.wait()
        if self.failure:
            raise self.failure


@pytest.mark.parametrize("failure", [None, StoreUnavailable("away"), StoreFull()], ids=repr)
async def test_one_look_at_the_store_serves_all_who_wait_for_it_whatever_it_finds(
    failure: Exception | None,
) -> None:
    store = Slow(failure)
    bank = PictureIntake(store, Converter(95))  # type: ignore[arg-type]  # nothing else of it is asked for
    callers = [asyncio.create_task(bank.ready()) for _ in range(25)]
    await store.asked.wait()
    store.go.set()

    heard = await asyncio.gather(*callers, bank.ready(), return_exceptions=True)

    assert {repr(each) for each in heard} == {repr(failure)}
    assert store.checks == 1


async def test_a_store_that_is_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Slow(StoreUnavailable("away"))
    store.go.set()
    bank = PictureIntake(store, Converter(95))  # type: ignore[arg-type]  # as above
    with pytest.raises(StoreUnavailable, match="away"):
        await bank.ready()
    store.failure = None
    monkeypatch.setattr("falgate.pictures.intake._CHECKED_FOR_S", 0.0)

    await bank.ready()
    assert store.checks == 2

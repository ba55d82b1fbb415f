"""Conversion: another file of the same picture, in a process that ends with its parent."""

import asyncio
import io
import multiprocessing
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from patience import PATIENCE_S
from PIL import Image, ImageChops, ImageStat

from falgate.core.picture import NotAPicture
from falgate.pictures.convert import Converter
from falgate.pictures.encode import convert


def png(mode: str = "RGB", colour: object = "red", **more: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (30, 20), colour).save(buffer, "PNG", **more)  # type: ignore[arg-type]  # of Pillow's own tuple
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.fixture
async def converter() -> AsyncIterator[Converter]:
    made = Converter(95)
    yield made
    await made.close()


@pytest.mark.parametrize(("media", "kind"), [("image/jpeg", "JPEG"), ("image/webp", "WEBP")])
def test_it_is_the_same_picture_of_another_type(media: str, kind: str) -> None:
    image = opened(convert(png(), media, 95))

    assert (image.format, image.size) == (kind, (30, 20))
    off = ImageChops.difference(image.convert("RGB"), opened(png()).convert("RGB"))
    assert max(ImageStat.Stat(off).mean) < 5, "of 255"


def test_quality_is_the_formats_own() -> None:
    noise = Image.effect_noise((200, 200), 80)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    sizes = [len(convert(buffer.getvalue(), "image/jpeg", quality)) for quality in (10, 50, 95)]

    assert sizes == sorted(set(sizes))


def test_the_same_bytes_come_out_each_time() -> None:
    assert convert(png(), "image/webp", 90) == convert(png(), "image/webp", 90)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_can_be_converted(mode: str) -> None:
    source = png(mode, 0 if mode in {"L", "P", "1", "I;16"} else None)
    expected = opened(source).has_transparency_data

    image = opened(convert(source, "image/webp", 95))

    assert image.has_transparency_data == expected or mode == "LA"


def test_transparency_stays_in_a_webp_and_refuses_a_jpeg() -> None:
    source = png("RGBA", (10, 20, 30, 0))

    assert opened(convert(source, "image/webp", 95)).getchannel("A").getextrema() == (0, 0)
    with pytest.raises(NotAPicture, match="transparent"):
        convert(source, "image/jpeg", 95)


def test_an_opaque_picture_with_an_alpha_channel_becomes_a_jpeg() -> None:
    assert opened(convert(png("RGBA", (10, 20, 30, 255)), "image/jpeg", 95)).mode == "RGB"


def test_its_colour_profile_stays() -> None:
    source = png(icc_profile=b"a profile of no meaning")

    for media in ("image/jpeg", "image/webp"):
        assert opened(convert(source, media, 95)).info["icc_profile"] == b"a profile of no meaning"


async def test_it_is_done_in_a_process_that_is_kept(converter: Converter) -> None:
    first = await converter.convert(png(), "image/jpeg")
    second = await asyncio.gather(*(converter.convert(png(), "image/jpeg") for _ in range(3)))

    assert [first] * 3 == second
    with pytest.raises(NotAPicture):
        await converter.convert(png("RGBA", (0, 0, 0, 0)), "image/jpeg")


async def test_a_process_that_dies_is_begun_anew(converter: Converter) -> None:
    await converter.convert(png(), "image/jpeg")
    (child,) = multiprocessing.active_children()
    child.kill()

    with pytest.raises(NotAPicture, match="BrokenProcessPool"):
        await converter.convert(png(), "image/jpeg")
    assert await converter.convert(png(), "image/jpeg")


PARENT = """
import asyncio, multiprocessing, sys, time
from falgate.pictures.convert import Converter
if __name__ == "__main__":
    data = bytes.fromhex(sys.argv[1])
    asyncio.run(Converter(95).convert(data, "image/jpeg"))
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(60)
"""


def test_the_process_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, script, png().hex()], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline_s = time.monotonic() + PATIENCE_S
    while _alive(child):
        assert time.monotonic() < deadline_s, "it lives on without its parent"
        time.sleep(0.02)


def _alive(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_a_system_without_room_for_a_process_converts_nothing(
    converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("falgate.pictures.convert.ProcessPoolExecutor", refuse)
        with pytest.raises(NotAPicture, match="OSError"):
            await converter.convert(png(), "image/jpeg")
    assert await converter.convert(png(), "image/jpeg")

"""The pictures in docs/img are those of the pages that there are."""

from pathlib import Path

from console_pages import LOOKS, named

IMAGES = Path(__file__).parents[2] / "docs" / "img"
BYTES_MAX = 80_000


def test_every_page_has_a_picture_in_each_look_and_there_are_no_others() -> None:
    wanted = {f"{name}-{look['name']}.webp" for name in named() for look in LOOKS}

    assert {file.name for file in IMAGES.glob("*.webp")} == wanted


def test_they_are_small() -> None:
    assert [
        f"{each.name}" for each in IMAGES.glob("*.webp") if each.stat().st_size > BYTES_MAX
    ] == []

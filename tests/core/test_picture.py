"""Pictures, their names and their form in an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.picture import EXTENSIONS, Picture, Pool, as_file, media_type_of

DIGEST = "0123456789abcdef" * 4


def picture(content_type: str) -> Picture:
    return Picture(
        sha256=DIGEST, content_type=content_type, size_bytes=9, width=2, height=1, made_s=7
    )


@pytest.mark.parametrize("content_type", EXTENSIONS)
def test_a_name_gives_back_its_media_type(content_type: str) -> None:
    name = picture(content_type).name

    assert name == f"{DIGEST}.{content_type.removeprefix('image/')}"
    assert media_type_of(name) == content_type


@pytest.mark.parametrize(
    "name",
    [
        "",
        DIGEST,
        f"{DIGEST}.",
        f"{DIGEST}.gif",
        f"{DIGEST}.PNG",
        f"{DIGEST}.png\n",
        f"{DIGEST.upper()}.png",
        f"0{DIGEST}.png",
        f"../{DIGEST}.png",
        f"{DIGEST}.png/..",
        f"{DIGEST[:-1]}\N{ARABIC-INDIC DIGIT ONE}.png",
    ],
)
def test_another_name_is_no_picture(name: str) -> None:
    assert media_type_of(name) is None


@given(st.text())
def test_only_what_a_picture_could_be_called_is_a_name(text: str) -> None:
    assert media_type_of(text) is None
    assert media_type_of(f"{DIGEST}.png{text}") == (None if text else "image/png")


def test_a_picture_looks_as_fals_file_does() -> None:
    assert as_file(picture("image/webp"), "https://here/p") == {
        "url": "https://here/p",
        "content_type": "image/webp",
        "file_name": f"{DIGEST}.webp",
        "file_size": 9,
        "width": 2,
        "height": 1,
    }


def test_a_pool_that_is_not_there_is_empty_and_of_generation_zero() -> None:
    assert (Pool().generation, Pool().pictures) == (0, ())

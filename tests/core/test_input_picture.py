"""The string that stands for an input picture in arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.input_picture import InputPicture, input_picture
from falgate.core.picture import EXTENSIONS

SHA = "ab" * 32
SIDES = st.integers(1, 999_999)


@given(st.binary(min_size=32, max_size=32), SIDES, SIDES, st.sampled_from(sorted(EXTENSIONS)))
def test_what_is_printed_is_parsed_again(
    digest: bytes, width: int, height: int, content_type: str
) -> None:
    picture = InputPicture(digest.hex(), width, height, content_type)

    assert input_picture(str(picture)) == picture


def test_it_looks_like_this() -> None:
    assert str(InputPicture(SHA, 1_024, 768, "image/png")) == f"sha256:{SHA};1024x768;image/png"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.example/a.png",
        f"sha256:{SHA}",
        f"sha256:{SHA};0x768;image/png",
        f"sha256:{SHA};1024x768;image/svg",
        f"sha256:{SHA.upper()};1024x768;image/png",
        f"sha256:{SHA};1024x768;image/png\n",
        f" sha256:{SHA};1024x768;image/png",
    ],
)
def test_nothing_else_is_one(text: str) -> None:
    assert input_picture(text) is None

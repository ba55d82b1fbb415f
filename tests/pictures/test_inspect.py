"""Looking at a delivery: whole pictures of three types pass, and nothing else does."""

import io
import struct
import zlib

import pytest
from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.inspect import Examined, examine


def encoded(
    media: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", frames: int = 1
) -> bytes:
    noise = Image.effect_noise(size, 80).convert(mode)
    more = [noise.transpose(Image.Transpose.FLIP_TOP_BOTTOM)] * (frames - 1)
    out = io.BytesIO()
    if more:
        noise.save(out, media, save_all=True, append_images=more)
    else:
        noise.save(out, media)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any number of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("media", "mode", "content_type"),
    [
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("WEBP", "RGB", "image/webp"),
        ("WEBP", "RGBA", "image/webp"),
    ],
)
def test_a_whole_picture_is_told_by_its_bytes(media: str, mode: str, content_type: str) -> None:
    whole = encoded(media, mode=mode)
    assert examine(whole) == Examined(content_type, 64, 48, len(whole), opaque=True)


@pytest.mark.parametrize("media", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_off_anywhere_is_refused(media: str) -> None:
    whole = encoded(media)
    for length in [*range(0, len(whole), max(1, len(whole) // 50)), len(whole) - 2, len(whole) - 1]:
        with pytest.raises(NotAPicture):
            examine(whole[:length])


@pytest.mark.parametrize("media", ["PNG", "WEBP"])
def test_a_picture_with_a_hole_is_refused(media: str) -> None:
    whole = encoded(media)
    with pytest.raises(NotAPicture):
        examine(whole[: len(whole) // 2] + whole[-12:])


def test_a_flipped_bit_of_a_png_is_refused() -> None:
    flipped = bytearray(encoded("PNG"))
    flipped[len(flipped) // 2] ^= 1
    with pytest.raises(NotAPicture):
        examine(bytes(flipped))


@pytest.mark.parametrize("media", ["PNG", "JPEG", "WEBP"])
def test_a_page_before_a_picture_is_refused(media: str) -> None:
    with pytest.raises(NotAPicture):
        examine(b"<script>alert(1)</script>" + encoded(media))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"<!doctype html><title>502 Bad Gateway</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'{"detail": "not found"}',
        b"%PDF-1.7",
        b"GIF89a/*",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xd9",
        b"RIFF\x04\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        examine(data)


@pytest.mark.parametrize("media", ["GIF", "BMP", "TIFF", "ICO", "PPM", "JPEG2000"])
def test_other_types_of_picture_are_refused(media: str) -> None:
    with pytest.raises(NotAPicture):
        examine(encoded(media))


@pytest.mark.parametrize("media", ["PNG", "WEBP"])
def test_an_animation_is_refused(media: str) -> None:
    with pytest.raises(NotAPicture, match="it is animated"):
        examine(encoded(media, frames=2))


def test_of_a_jpeg_that_others_follow_the_first_is_taken() -> None:
    """As a phone's photograph, with a map of its brightness behind it."""
    several = encoded("MPO", frames=2)

    found = examine(several)

    assert found.content_type == "image/jpeg"
    assert found.size_bytes < len(several)


@pytest.mark.parametrize(
    ("width", "height"), [(8193, 1), (1, 8193), (10_000, 10_000), (60_000, 60_000), (2**31 - 1, 1)]
)
def test_a_header_that_claims_too_much_is_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(NotAPicture):
        examine(png_that_claims(width, height))


def test_the_largest_side_passes() -> None:
    widest = examine(encoded("PNG", size=(8192, 1)))
    assert (widest.width, widest.height) == (8192, 1)


def test_more_pixels_than_are_due_are_refused_by_the_head_alone() -> None:
    assert examine(encoded("PNG", size=(64, 48)), 64 * 48).width == 64
    with pytest.raises(NotAPicture, match="it has 64x48 pixels; the maximum is 3071"):
        examine(encoded("PNG", size=(64, 48)), 64 * 48 - 1)
    # Of what would have to be decoded nothing is there.
    with pytest.raises(NotAPicture, match="it has 8192x8192 pixels"):
        examine(png_that_claims(8192, 8192), 1024 * 1024)


def test_text_that_unpacks_to_a_flood_is_refused() -> None:
    whole = encoded("PNG")
    body = b"Comment\0\0" + zlib.compress(bytes(100_000_000))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    with pytest.raises(NotAPicture):
        examine(whole[:33] + chunk + whole[33:])


def test_the_refusal_holds_nothing_of_the_data() -> None:
    with pytest.raises(NotAPicture) as caught:
        examine(b"a prompt that came back as text")
    assert "prompt" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "colour", "opaque"),
    [
        ("RGB", (1, 2, 3), True),
        ("RGBA", (1, 2, 3, 255), True),
        ("RGBA", (1, 2, 3, 254), False),
        ("LA", (1, 0), False),
    ],
)
def test_transparency_is_told_by_the_pixels_and_not_by_the_type(
    mode: str, colour: tuple[int, ...], opaque: bool
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4), colour).save(buffer, "PNG")

    assert examine(buffer.getvalue()).opaque is opaque


def test_a_colour_that_counts_as_transparent_is_seen_too() -> None:
    """A PNG without an alpha channel may name one colour that is."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(buffer, "PNG", transparency=(1, 2, 3))

    assert examine(buffer.getvalue()).opaque is False
